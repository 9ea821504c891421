import { programOf } from '../programs.js'
import { bytesOf } from '../quantity.js'
import { perContainer, type Rule } from '../rule.js'

const mayNotGainPrivileges = perContainer('may-not-gain-privileges', ({ container: { securityContext } }) => [
  securityContext?.allowPrivilegeEscalation !== false && 'set securityContext.allowPrivilegeEscalation to false',
  securityContext?.privileged === true && 'remove securityContext.privileged',
])

const dropsAllCapabilities = perContainer('drops-all-capabilities', ({ container: { securityContext } }) => {
  const { drop = [], add = [] } = securityContext?.capabilities ?? {}
  return (!drop.includes('ALL') || add.length > 0) && 'set securityContext.capabilities.drop to [ALL], and add none'
})

const rootIsReadOnly = perContainer(
  'root-is-read-only',
  ({ container: { securityContext } }) => securityContext?.readOnlyRootFilesystem !== true && 'set securityContext.readOnlyRootFilesystem to true',
)

const hasTmp = perContainer('has-tmp', ({ container, workload }) => {
  const name = container.volumeMounts?.find(({ mountPath }) => mountPath === '/tmp')?.name
  const isEmptyDir = workload.pod.volumes?.some((volume) => volume.name === name && volume.emptyDir) === true
  return !isEmptyDir && 'mount an emptyDir at /tmp: it can write nowhere else'
})

const requestsWhatItNeeds = perContainer('requests-what-it-needs', ({ container: { resources } }) =>
  ['cpu', 'memory'].map((resource) => resources?.requests?.[resource] === undefined && `set resources.requests.${resource}`),
)

const memoryIsReserved = perContainer('memory-is-reserved', ({ container: { resources } }) => {
  const [request, limit] = [resources?.requests?.['memory'], resources?.limits?.['memory']]
  if (request === undefined) return undefined
  return (limit === undefined || bytesOf(limit) !== bytesOf(request)) && 'set resources.limits.memory to what is requested: memory that is promised twice ends in a kill'
})

const heapFitsMemory = perContainer('heap-fits-memory', ({ container }) => {
  const limit = container.resources?.limits?.['memory']
  if (!programOf(container) || limit === undefined) return undefined
  const options = container.env?.find(({ name }) => name === 'NODE_OPTIONS')?.value ?? ''
  const [, megabytes = '0'] = /--max-old-space-size=(\d+)/.exec(options) ?? []
  const share = (Number(megabytes) * 1024 * 1024) / bytesOf(limit)
  return (share < 0.6 || share > 0.8) && `set NODE_OPTIONS to --max-old-space-size=${Math.floor((bytesOf(limit) * 0.75) / 1024 / 1024)}, three quarters of the memory limit`
})

const threadsAreCounted = perContainer('threads-are-counted', ({ container }) => {
  const threads = container.env?.find(({ name }) => name === 'UV_THREADPOOL_SIZE')?.value ?? ''
  return programOf(container) && !/^[1-9]\d*$/.test(threads) && 'set UV_THREADPOOL_SIZE'
})

const imageIsPinned = perContainer('image-is-pinned', ({ container: { image = '' } }) => {
  const [, tag] = /^[^@]*?(?::([^/:@]+))?(?:@sha256:[0-9a-f]{64})?$/.exec(image) ?? []
  if (tag === 'latest') return `the image ${image} is another one tomorrow: name a version`
  return tag === undefined && !/@sha256:[0-9a-f]{64}$/.test(image) && `the image "${image}" has no tag and no digest: add one`
})

const variablesComeOnce = perContainer('variables-come-once', ({ container: { env = [] } }) => {
  const names = env.map(({ name }) => name)
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is set twice: remove one`)
})

export const containerRules: readonly Rule[] = [
  ...[mayNotGainPrivileges, dropsAllCapabilities, rootIsReadOnly, hasTmp, requestsWhatItNeeds, memoryIsReserved],
  ...[heapFitsMemory, threadsAreCounted, imageIsPinned, variablesComeOnce],
]
