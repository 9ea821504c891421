import { Namespace } from 'kubernetes-models/v1/Namespace'
import { idOf, namespaceOf } from '../rendering.js'
import { perObject, type Rule } from '../rule.js'
import { isBuiltIn } from '../schema.js'

const MODES = ['enforce', 'warn', 'audit']
const LABELS = ['app.kubernetes.io/part-of', 'app.kubernetes.io/managed-by']
const OF_THE_CLUSTER = ['Namespace', 'PriorityClass']

const namespaceIsRestricted = perObject('namespace-is-restricted', Namespace.is, ({ metadata }) =>
  MODES.flatMap((mode) => {
    const { [`pod-security.kubernetes.io/${mode}`]: level, [`pod-security.kubernetes.io/${mode}-version`]: version = '' } = metadata?.labels ?? {}
    return [
      level !== 'restricted' && `set the label pod-security.kubernetes.io/${mode} to restricted`,
      !/^v1\.\d+$/.test(version) && `set the label pod-security.kubernetes.io/${mode}-version to a version such as v1.31`,
    ]
  }),
)

const isInTheNamespace: Rule = {
  name: 'is-in-the-namespace',
  find: ({ objects }) => {
    const names = objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name)
    return objects
      .filter(({ kind, metadata }) => !OF_THE_CLUSTER.includes(kind) && !names.includes(metadata.namespace ?? ''))
      .map((object) => ({ object: idOf(object), message: 'set metadata.namespace to the Namespace of this overlay' }))
  },
}

const isLabelled: Rule = {
  name: 'is-labelled',
  find: ({ objects }) =>
    objects
      .filter(({ kind }) => kind !== 'Secret' && kind !== 'ConfigMap')
      .flatMap((object) => LABELS.filter((label) => object.metadata.labels?.[label] === undefined).map((label) => ({ object: idOf(object), message: `set the label ${label}` }))),
}

const isThereOnce: Rule = {
  name: 'is-there-once',
  find: ({ objects }) => {
    const ids = objects.map((object) => `${object.apiVersion} ${namespaceOf(object)} ${idOf(object)}`)
    return objects.filter((_object, index) => ids.indexOf(ids[index] ?? '') !== index).map((object) => ({ object: idOf(object), message: 'remove it: it is there twice' }))
  },
}

const needsNoOperator: Rule = {
  name: 'needs-no-operator',
  find: ({ objects, target }) =>
    objects.filter((object) => !target.customResources && !isBuiltIn(object)).map((object) => ({ object: idOf(object), message: 'move it into a component: a plain cluster does not know its kind' })),
}

export const objectRules: readonly Rule[] = [namespaceIsRestricted, isInTheNamespace, isLabelled, isThereOnce, needsNoOperator]
