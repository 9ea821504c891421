import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Metadata } from '@grpc/grpc-js'
import { wallMillis } from '#libs/clock.js'
import { isLoopback } from '#libs/env.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { traceOf } from '#libs/rpc/trace.js'
import { HealthCheckResponse_ServingStatus as Serving, HealthService } from '#libs/wire/gen/health/v1/health.js'
import { channelTo, identityCheck, type Pem } from '../channel.js'
import { type Context, type Service, serviceNames } from '../context.js'
import { failure, type Finding, firstLineOf, notLookedAt, ok, warning } from './finding.js'

// The three public addresses: does somebody answer, is it ready, and who can read along.

const WITHIN_MILLIS = 3_000
const CERTIFICATE_WARNING_DAYS = 7
const DAY_MILLIS = 86_400_000

export async function serviceFindings(context: Context, pem: Pem | undefined): Promise<Finding[]> {
  const services = ['registry', 'exchange', 'check'] as const
  return (await Promise.all(services.map((service) => findingsOf(service, context, pem)))).flat()
}

async function findingsOf(service: Service, context: Context, pem: Pem | undefined): Promise<Finding[]> {
  const name = serviceNames[service]
  let address: string
  try {
    address = context.addressOf(service)
  } catch (error) {
    return [notLookedAt(name, { seen: 'its address is not known', advice: firstLineOf(error) })]
  }
  const transport = await transportFinding(service, address, pem)
  if (transport.outcome === 'failure') return [transport]
  return [await healthFinding(service, address, pem), transport]
}

async function healthFinding(service: Service, address: string, pem: Pem | undefined): Promise<Finding> {
  const name = serviceNames[service]
  const client = createRpcClient({ address, credentials: channelTo(service, pem) })
  try {
    const { status } = await client.unary(HealthService.check, { service: 'readiness' }, { deadline: deadlineOf(Infinity, WITHIN_MILLIS), trace: traceOf(new Metadata()) })
    if (status === Serving.SERVING) return ok(name, `${address} answers and is ready`)
    return failure(name, { seen: `${address} answers and is not ready`, advice: 'its log says what it waits for: the database, migrations (`countersign migrate up`), or the other services' })
  } catch (error) {
    return failure(name, { seen: `${address} is reached and does not answer: ${firstLineOf(error)}`, advice: `see whether it is ${name} that listens there, and what its log says` })
  } finally {
    client.close()
  }
}

/** Whether anybody is there at all, and what they speak. */
async function transportFinding(service: Service, address: string, pem: Pem | undefined): Promise<Finding> {
  const name = serviceNames[service]
  const place = placeOf(address)
  const check = `${name} transport`
  if (place === undefined) return ok(check, `${address} is a socket of this machine`)
  if (!(await isReached(place))) return failure(name, { seen: `nobody listens on ${address}`, advice: `start it (\`npm start\`; \`kubectl get pods -l app.kubernetes.io/name=${name}\`), or correct the address` })
  if (pem !== undefined) return encryptedFinding(service, place, pem)
  if (await speaksTls(place)) {
    return failure(name, { seen: `${address} speaks TLS, and it is not known by whose certificates`, advice: 'set COUNTERSIGN_CA_FILE to the CA of the services' })
  }
  if (isLoopback(place.host)) return ok(check, 'plain text, within this machine')
  return warning(check, { seen: `plain text to ${place.host}: tokens and secrets can be read on the way`, advice: 'set TLS_CERTIFICATE_FILE, TLS_KEY_FILE and TLS_CA_FILE of the services, and COUNTERSIGN_CA_FILE here' })
}

async function encryptedFinding(service: Service, place: Place, { ca, certificate, key }: Pem): Promise<Finding> {
  const name = serviceNames[service]
  const options = { ...place, ca, ...(certificate && { cert: certificate }), ...(key && { key }), ALPNProtocols: ['h2'], checkServerIdentity: identityCheck(service) }
  try {
    const { protocol, expireTime } = await within<{ protocol: string; expireTime: Date }>((settle, fail) => {
      const socket: TLSSocket = connectTls(options, () => settle({ protocol: socket.getProtocol() ?? '', expireTime: new Date(socket.getPeerCertificate().valid_to) }))
      return socket.once('error', fail)
    })
    const days = Math.floor((expireTime.getTime() - wallMillis()) / DAY_MILLIS)
    const seen = `${protocol}, with a certificate that expires in ${days} days`
    if (days >= CERTIFICATE_WARNING_DAYS) return ok(`${name} transport`, seen)
    return warning(`${name} transport`, { seen, advice: 'renew it: whatever replaces certificates may have stopped doing so (`kubectl get certificates`)' })
  } catch (error) {
    return failure(name, { seen: `no TLS with ${place.host}:${place.port}: ${firstLineOf(error)}`, advice: 'compare its certificate with COUNTERSIGN_CA_FILE and with the name in its address; a service without TLS_… speaks plain text' })
  }
}

type Place = { readonly host: string; readonly port: number }

/** Undefined for a Unix socket. */
function placeOf(address: string): Place | undefined {
  if (address.startsWith('unix:')) return undefined
  const [, host = '', port = ''] = /^(?:\w+:\/{0,3})?\[?([^\]/]+?)\]?:(\d+)$/.exec(address) ?? []
  return { host, port: Number(port) }
}

type Asking<Result> = (settle: (result: Result) => void, fail: (error: Error) => void) => { destroy(): void; setTimeout(millis: number, then: () => void): void }

async function within<Result>(ask: Asking<Result>): Promise<Result> {
  let asked: ReturnType<Asking<Result>> | undefined
  try {
    return await new Promise<Result>((settle, fail) => {
      asked = ask(settle, fail)
      asked.setTimeout(WITHIN_MILLIS, () => fail(new Error('no answer in time')))
    })
  } finally {
    asked?.destroy()
  }
}

const isReached = (place: Place): Promise<boolean> =>
  within<boolean>((settle) => {
    const socket = connectTcp(place, () => settle(true))
    socket.once('timeout', () => settle(false))
    return socket.once('error', () => settle(false))
  }).catch(() => false)

// A server that waits for plain HTTP/2 closes on a TLS greeting, or says nothing to it.
const speaksTls = (place: Place): Promise<boolean> =>
  within<boolean>((settle) => {
    const socket = connectTls({ ...place, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => settle(true))
    return socket.once('error', () => settle(false))
  }).catch(() => false)
