import { renderingOf } from './rendering.js'
import type { Rule } from './rule.js'
import { configurationRules } from './rules/configuration.js'
import { containerRules } from './rules/containers.js'
import { envoyRules } from './rules/envoy.js'
import { meshRules } from './rules/mesh.js'
import { networkRules } from './rules/network.js'
import { objectRules } from './rules/objects.js'
import { podRules } from './rules/pods.js'
import { probeRules } from './rules/probes.js'
import { referenceRules } from './rules/references.js'
import { rolloutRules } from './rules/rollout.js'
import { sidecarRules } from './rules/sidecar.js'
import { judgeShape, type KubernetesObject } from './schema.js'
import { parseStrictly } from './strict-yaml.js'
import type { Target } from './targets.js'

export const RULES: readonly Rule[] = [
  ...[...objectRules, ...podRules, ...containerRules, ...probeRules],
  ...[...rolloutRules, ...referenceRules, ...networkRules, ...configurationRules],
  ...[...sidecarRules, ...envoyRules, ...meshRules],
]

/** One line of the output. */
export type Problem = { readonly target: string; readonly object: string; readonly rule: string; readonly message: string }

/** Judges what was rendered. Rules go by right shapes, so they are asked only once all of them are. */
export function lintText(target: Target, text: string): Problem[] {
  const { documents, problems } = parseStrictly(text)
  if (problems.length > 0) return problems.map((message) => ({ target: target.name, object: '-', rule: 'yaml', message }))
  return lintDocuments(target, documents)
}

export function lintDocuments(target: Target, documents: readonly unknown[]): Problem[] {
  const objects: KubernetesObject[] = []
  const problems: Problem[] = []
  for (const document of documents) {
    const judged = judgeShape(document)
    if (judged.object) objects.push(judged.object)
    const object = judged.object ? `${judged.object.kind}/${judged.object.metadata.name}` : '-'
    problems.push(...judged.problems.map((message) => ({ target: target.name, object, rule: 'schema', message })))
  }
  if (problems.length > 0) return problems
  const rendering = renderingOf(target, objects)
  return RULES.flatMap(({ name, find }) => find(rendering).map((finding) => ({ target: target.name, rule: name, ...finding })))
}
