import { Closing } from '#libs/lifecycle.js'
import type { LocalSecrets } from '../../deploy/local/secrets.js'
import { type ServiceAddresses, serviceEnvironments } from '../../deploy/local/services.js'
import { type From, isServing, mainOf, nodeProcess, type Process } from './processes.js'
import { relayCallers } from './relay-callers.js'
import { stablePort } from './stable-port.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/** A replica of a service: a process of its own. */
export type Member = {
  /** `check-2`, for example. */
  readonly name: string
  readonly process: Process
  readonly address: string
  /** Where other services call it; sidecars call the relay of an authorization-check, and nobody a sidecar. */
  readonly internalAddress: string
  /** Its own way to each that it calls, by name: `registry-1`, `exchange-2`, `redis`, `postgres`. */
  readonly edges: Readonly<Record<string, TcpProxy>>
}

export type Edge = { readonly name: string; readonly proxy: TcpProxy }

export type FleetOptions = {
  readonly registryUrl: string
  readonly exchangeUrl: string
  readonly redisUrl: string
  readonly secrets: LocalSecrets
  readonly registries?: number
  readonly exchanges?: number
  readonly checks?: number
  /** Further authorization-checks, without Redis, whose feeds the others relay to them. */
  readonly sidecars?: number
  readonly from?: From
  /** For every replica, beside what makes them know each other. */
  readonly environment?: Readonly<Record<string, string>>
}

export type Fleet = {
  readonly registries: readonly Member[]
  readonly exchanges: readonly Member[]
  /** The sidecars too, which are asked alike. */
  readonly checks: readonly Member[]
  /** Those of them that relay. */
  readonly relays: readonly Member[]
  /** Each names all replicas, past the proxies: the calls of one client are spread over them. */
  readonly addresses: ServiceAddresses
  readonly edges: readonly Edge[]
  /** The proxy of `check-2 → exchange-1`; throws where there is no such edge. */
  edge(name: string): TcpProxy
  close(): Promise<void>
}

/**
 * Replicas of each service on one PostgreSQL and one Redis, with a proxy on each way from one of them to what it calls. Only
 * authorization-check is called past the proxies. Returns when all are ready.
 */
export async function startFleet({ from = 'dist', environment = {}, ...options }: FleetOptions): Promise<Fleet> {
  const ports = distinctPorts()
  const registrySeats = await seats('registry', options.registries ?? 2, ports)
  const exchangeSeats = await seats('exchange', options.exchanges ?? 2, ports)
  const checkSeats = await seats('check', options.checks ?? 3, ports)
  const sidecarSeats = await seats('sidecar', options.sidecars ?? 0, ports)
  const addresses = {
    registry: allOf(registrySeats.map(({ address }) => address)),
    exchange: allOf(exchangeSeats.map(({ address }) => address)),
    check: allOf(checkSeats.map(({ address }) => address)),
    registryInternal: allOf(registrySeats.map(({ internalAddress }) => internalAddress)),
    exchangeInternal: allOf(exchangeSeats.map(({ internalAddress }) => internalAddress)),
  }
  const own = serviceEnvironments(options)
  const toRegistries = routeToReplicas('REGISTRY_INTERNAL_ADDRESS', registrySeats)
  const toExchanges = routeToReplicas('EXCHANGE_INTERNAL_ADDRESS', exchangeSeats)
  const toRedis = routeByUrl('REDIS_URL', 'redis', options.redisUrl)
  const routes = {
    registry: [routeByUrl('DATABASE_URL', 'postgres', options.registryUrl), toRedis],
    exchange: [routeByUrl('DATABASE_URL', 'postgres', options.exchangeUrl), toRedis, toRegistries],
    check: [toRedis, toRegistries, toExchanges],
    sidecar: [routeToReplicas('RELAY_ADDRESS', checkSeats), toRegistries, toExchanges],
  }
  const { SERVICE_CREDENTIAL = '', INTERNAL_CALLERS = '' } = own.check
  const check = { ...own.check, INTERNAL_CALLERS: relayCallers(INTERNAL_CALLERS, options.secrets.checkCredential) }
  const environments = { ...own, check, sidecar: { SERVICE_CREDENTIAL, INTERNAL_CALLERS: '[]' } }
  const closing = new Closing()
  const member = async (seat: Seat): Promise<Member> => {
    const { edges, variables } = await openWays(routes[seat.kind], ports, closing)
    const made = nodeProcess({
      name: seat.name,
      args: mainOf(SERVICES[seat.kind], from),
      environment: { ...environments[seat.kind], ...seat.ports, CHECK_ADDRESS: addresses.check, ...environment, ...variables },
      isReady: () => isServing(seat.address),
    })
    return { name: seat.name, process: made, address: seat.address, internalAddress: seat.internalAddress, edges }
  }
  try {
    const [registries, exchanges, relays] = [await inOrder(registrySeats, member), await inOrder(exchangeSeats, member), await inOrder(checkSeats, member)]
    const checks = [...relays, ...(await inOrder(sidecarSeats, member))]
    const members = [...registries, ...exchanges, ...checks]
    closing.add(async () => {
      await Promise.all(members.map(({ process }) => process.stop()))
    })
    await Promise.all(members.map(({ process }) => process.restart()))
    const edges = members.flatMap((one) => Object.entries(one.edges).map(([callee, proxy]) => ({ name: `${one.name} → ${callee}`, proxy })))
    return { registries, exchanges, checks, relays, addresses, edges, edge: (name) => proxyOf(edges, name), close: () => closing.close() }
  } catch (error) {
    await closing.close()
    throw error
  }
}

const SERVICES = { registry: 'identity-registry', exchange: 'auth-exchange', check: 'authorization-check', sidecar: 'authorization-check' } as const

/** The place that a replica is to take. */
type Seat = { readonly kind: keyof typeof SERVICES; readonly ports: Record<string, string> } & Pick<Member, 'name' | 'address' | 'internalAddress'>

async function seats(kind: Seat['kind'], count: number, nextPort: () => Promise<number>): Promise<Seat[]> {
  const taken: Seat[] = []
  while (taken.length < count) {
    const port = await nextPort()
    const internalPort = await nextPort()
    taken.push({
      kind,
      name: `${kind}-${taken.length + 1}`,
      ports: portsOf(kind, String(port), String(internalPort)),
      address: `127.0.0.1:${port}`,
      internalAddress: `127.0.0.1:${internalPort}`,
    })
  }
  return taken
}

function portsOf(kind: Seat['kind'], port: string, internalPort: string): Record<string, string> {
  if (kind === 'sidecar') return { CHECK_PORT: port }
  const prefix = kind.toUpperCase()
  return { [`${prefix}_PORT`]: port, [kind === 'check' ? 'RELAY_PORT' : `${prefix}_INTERNAL_PORT`]: internalPort }
}

/** A variable that says where something is, and what is there: each target by its name. */
type Route = { readonly variable: string; readonly targets: Readonly<Record<string, string>>; readonly valueFrom: (ways: readonly string[]) => string }

function routeToReplicas(variable: string, called: readonly Seat[]): Route {
  const targets = Object.fromEntries(called.map(({ name, internalAddress }) => [name, internalAddress]))
  return { variable, targets, valueFrom: allOf }
}

function routeByUrl(variable: string, callee: string, url: string): Route {
  const valueFrom = ([way = '']: readonly string[]) => Object.assign(new URL(url), { host: way }).href
  return { variable, targets: { [callee]: new URL(url).host }, valueFrom }
}

/** One address of gRPC for several replicas. */
const allOf = (addresses: readonly string[]): string => `ipv4:${addresses.join(',')}`

/** What is promised to one is given to no other, though nobody listens there yet. */
function distinctPorts(): () => Promise<number> {
  const promised = new Set<number>()
  return async () => {
    let port = await stablePort()
    while (promised.has(port)) port = await stablePort()
    promised.add(port)
    return port
  }
}

async function inOrder(places: readonly Seat[], member: (seat: Seat) => Promise<Member>): Promise<Member[]> {
  const made: Member[] = []
  for (const seat of places) made.push(await member(seat))
  return made
}

/** A proxy for each target, and the variables that send their reader through these. */
async function openWays(routes: readonly Route[], nextPort: () => Promise<number>, closing: Closing) {
  const edges: Record<string, TcpProxy> = {}
  const variables: Record<string, string> = {}
  for (const { variable, targets, valueFrom } of routes) {
    const ways: string[] = []
    for (const [callee, target] of Object.entries(targets)) {
      const proxy = await startTcpProxy({ target, port: await nextPort() })
      closing.add(() => proxy.close())
      edges[callee] = proxy
      ways.push(proxy.address)
    }
    variables[variable] = valueFrom(ways)
  }
  return { edges, variables }
}

function proxyOf(edges: readonly Edge[], name: string): TcpProxy {
  const found = edges.find((edge) => edge.name === name)
  if (!found) throw new Error(`there is no ${name}, only ${edges.map((edge) => edge.name).join(', ')}`)
  return found.proxy
}
