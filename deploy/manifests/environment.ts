import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Secret } from 'kubernetes-models/v1/Secret'
import { certificate, externalSecret } from './custom-kinds.js'
import { isAt, namespaceOf, ofKind, type Place, type PlacedContainer, type Rendering } from './rendering.js'

/** The content of a Secret's key, where the Secret is rendered here; `undefined` where somebody else fills it. */
export type Keys = ReadonlyMap<string, string | undefined>

/** The keys of a Secret that is rendered, made by an operator, or expected of somebody else. */
export function secretKeys(rendering: Rendering, place: Place): Keys | undefined {
  const rendered = ofKind(rendering, Secret.is).find(isAt(place))
  if (rendered) {
    const encoded = Object.entries(rendered.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()] as const)
    return new Map([...encoded, ...Object.entries(rendered.stringData ?? {})])
  }
  const keys = operatorsKeys(rendering, place) ?? rendering.target.expects.get(place.name)
  return keys && new Map(keys.map((key) => [key, undefined]))
}

function operatorsKeys({ objects }: Rendering, { namespace, name }: Place): string[] | undefined {
  for (const object of objects.filter((one) => ['ExternalSecret', 'Certificate'].includes(one.kind) && namespaceOf(one) === namespace)) {
    const external = externalSecret.safeParse(object).data
    if (external?.spec.target.name === name) return external.spec.data.map(({ secretKey }) => secretKey)
    if (certificate.safeParse(object).data?.spec.secretName === name) return ['ca.crt', 'tls.crt', 'tls.key']
  }
  return undefined
}

export function configMapKeys(rendering: Rendering, place: Place): Keys | undefined {
  const found = ofKind(rendering, ConfigMap.is).find(isAt(place))
  return found && new Map(Object.entries(found.data ?? {}))
}

/** What a container is given as environment variables in the end; what comes from a Secret has no value here. */
export function environmentOf(rendering: Rendering, { workload: { namespace }, container: { envFrom = [], env = [] } }: PlacedContainer): ReadonlyMap<string, string | undefined> {
  const maps = envFrom.flatMap(({ configMapRef }) => [...(configMapKeys(rendering, { namespace, name: configMapRef?.name ?? '' }) ?? [])])
  return new Map([...maps, ...env.map(({ name, value }) => [name, value] as const)])
}

/** A file of a container: which Secret or ConfigMap it is a key of, or why it is none. */
export type MountedFile = { readonly problem: string } | { readonly content: string | undefined }

export function fileAt(rendering: Rendering, { workload, container }: PlacedContainer, path: string): MountedFile {
  const mount = (container.volumeMounts ?? []).find(({ mountPath }) => path.startsWith(`${mountPath}/`))
  const volume = workload.pod.volumes?.find(({ name }) => name === mount?.name)
  if (!mount || !volume) return { problem: `${path} is in no volume that it mounts` }
  const name = volume.secret?.secretName ?? volume.configMap?.name ?? ''
  const place = { namespace: workload.namespace, name }
  const keys = volume.secret ? secretKeys(rendering, place) : configMapKeys(rendering, place)
  const key = path.slice(mount.mountPath.length + 1)
  // A volume of something that is not there is another rule's finding.
  if (!keys) return { content: undefined }
  return keys.has(key) ? { content: keys.get(key) } : { problem: `${path} is no key of ${name}, which has ${[...keys.keys()].join(', ')}` }
}
