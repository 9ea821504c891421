import { environmentOf } from '../environment.js'
import { programOf } from '../programs.js'
import { containersOf, type PlacedContainer, type Rendering } from '../rendering.js'
import { perContainer, type Rule, type Verdict } from '../rule.js'

// authorization-check beside an application: it listens on a socket that is in a volume of the pod.

export const socketOf = (placed: PlacedContainer, rendering: Rendering): string | undefined =>
  programOf(placed.container)?.name === 'authorization-check' ? environmentOf(rendering, placed).get('CHECK_SOCKET') : undefined

const perSidecar = (name: string, judge: (socket: string, placed: PlacedContainer, rendering: Rendering) => Verdict | Verdict[]): Rule =>
  perContainer(name, (placed, rendering) => {
    const socket = socketOf(placed, rendering)
    return socket !== undefined && judge(socket, placed, rendering)
  })

const OF_THE_INSTALLATION = /^REDIS_/

const sidecarHoldsNoSharedSecret = perSidecar('sidecar-holds-no-shared-secret', (_socket, placed, rendering) =>
  [...environmentOf(rendering, placed).keys()].map(
    (name) => OF_THE_INSTALLATION.test(name) && `remove ${name}: Redis and its keys are for the whole installation, and a sidecar is for one application`,
  ),
)

/** The volume that a path of a container is in. */
function volumeAt({ workload, container }: PlacedContainer, path: string) {
  const mount = (container.volumeMounts ?? []).find(({ mountPath }) => path.startsWith(`${mountPath}/`))
  return { mount, volume: workload.pod.volumes?.find(({ name }) => name === mount?.name) }
}

/** What a mesh mounts into the proxy that it adds. */
const MOUNTED_BY_A_MESH = 'sidecar.istio.io/userVolumeMount'

const socketIsShared = perSidecar('socket-is-shared', (socket, placed) => {
  const { workload, container } = placed
  const { mount, volume } = volumeAt(placed, socket)
  if (!mount || !volume?.emptyDir) return `mount an emptyDir where CHECK_SOCKET is: ${socket}`
  const others = containersOf(workload).filter((other) => other.container !== container)
  const hasAsker = others.some((other) => volumeAt(other, socket).mount?.name === mount.name) || workload.annotations[MOUNTED_BY_A_MESH]?.includes(`"${mount.name}"`) === true
  return [
    volume.emptyDir.medium !== 'Memory' && `set medium of the volume ${volume.name} to Memory: a socket has no business on a disk`,
    mount.readOnly === true && `mount ${volume.name} for writing: the socket is made there`,
    !hasAsker && `mount ${volume.name} at ${mount.mountPath} in the container that asks: nobody can`,
  ]
})

/** An init container of ours that is not a sidecar would never end, and so the pod never start. */
const sidecarStays: Rule = perContainer('sidecar-stays', ({ workload, container }) => {
  const isInit = workload.pod.initContainers?.includes(container) === true
  return isInit && programOf(container)?.isService === true && container.restartPolicy !== 'Always' && 'set restartPolicy to Always: an init container without it has to end before the pod starts'
})

export const sidecarRules: readonly Rule[] = [sidecarHoldsNoSharedSecret, socketIsShared, sidecarStays]
