import { Client, type ClientOptions, credentials, Metadata, type MetadataValue, type status } from '@grpc/grpc-js'
import { wallMillis } from '#libs/clock.js'
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '#libs/wire/gen/google/rpc/error_details.js'
import { Status } from '#libs/wire/gen/google/rpc/status.js'
import type { System } from './system.js'

/** Everything that a caller can see of how a call ended. */
export type Outcome = {
  readonly code: status
  readonly details: string
  readonly headers: Metadata
  readonly trailers: Metadata
  readonly answer: Buffer | undefined
}

/** A name that ends in `-bin` takes bytes. */
export type Headers = Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>

/** Calls that send the bytes they are given and keep the bytes that come. */
export type RawCalls = { call(path: string, bytes: Uint8Array, headers?: Headers): Promise<Outcome>; close(): void }

export function rawCallsTo(address: string, options: ClientOptions = {}): RawCalls {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1, ...options })
  return {
    call: (path, bytes, headers = {}) =>
      new Promise((resolve) => {
        let answer: Buffer | undefined
        let received = new Metadata()
        const request = Buffer.from(bytes)
        const deadline = wallMillis() + 20_000
        const call = client.makeUnaryRequest(path, (value: Buffer) => value, (value: Buffer) => value, request, metadataOf(headers), { deadline },
          (_error, value) => {
            answer = value
          })
        call.on('metadata', (metadata) => {
          received = metadata
        })
        call.on('status', ({ code, details, metadata: trailers }) => resolve({ code, details, headers: received, trailers, answer }))
      }),
    close: () => client.close(),
  }
}

/** Calls to several services, by the name of the service. */
export type CallsByService = { of(service: string): RawCalls; close(): void }

export function callsByService(addresses: Readonly<Record<string, string>>): CallsByService {
  const calls = new Map(Object.entries(addresses).map(([service, address]) => [service, rawCallsTo(address)]))
  return {
    of: (service) => {
      const found = calls.get(service)
      if (!found) throw new Error(`nobody knows where ${service} is`)
      return found
    },
    close: () => {
      for (const one of calls.values()) one.close()
    },
  }
}

/** Where each of the six listens; the change feed, which has two owners, at the registry. */
export const addressesByService = ({ addresses }: System): Record<string, string> => ({
  IdentityRegistryService: addresses.registry,
  AuthExchangeService: addresses.exchange,
  AuthorizationCheckService: addresses.check,
  RegistryInternalService: addresses.registryInternal,
  ExchangeInternalService: addresses.exchangeInternal,
  ChangeFeedService: addresses.registryInternal,
})

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata()
  for (const [name, values] of Object.entries(headers)) {
    for (const value of typeof values === 'string' || Buffer.isBuffer(values) ? [values] : values) metadata.add(name, value)
  }
  return metadata
}

const CODECS = new Map<string, { decode(bytes: Uint8Array): object }>(
  Object.entries({ ErrorInfo, BadRequest, RequestInfo, RetryInfo }).map(([name, codec]) => [`type.googleapis.com/google.rpc.${name}`, codec]),
)

/** What the trailer with the details says, each of them decoded. */
export function richStatusOf({ trailers }: Outcome): { code: number; message: string; details: [string, object][] } | undefined {
  const [raw] = trailers.get('grpc-status-details-bin')
  if (!Buffer.isBuffer(raw)) return undefined
  const { code, message, details } = Status.decode(raw)
  return { code, message, details: details.map(({ typeUrl, value }) => [typeUrl, CODECS.get(typeUrl)?.decode(value) ?? { value }]) }
}

const detailOf = <T>(outcome: Outcome, codec: { decode(bytes: Uint8Array): T }, name: string): T | undefined => {
  const [raw] = outcome.trailers.get('grpc-status-details-bin')
  const found = Buffer.isBuffer(raw) ? Status.decode(raw).details.find(({ typeUrl }) => typeUrl.endsWith(`.${name}`)) : undefined
  return found && codec.decode(found.value)
}

export const reasonOf = (outcome: Outcome): string | undefined => detailOf(outcome, ErrorInfo, 'ErrorInfo')?.reason

/** The names of the fields that were refused, each once. */
export const refusedFields = (outcome: Outcome): string[] => [
  ...new Set((detailOf(outcome, BadRequest, 'BadRequest')?.fieldViolations ?? []).map(({ field }) => field)),
].sort()

/** All that is visible of a call as one text, to look for what must not be in it. */
export const visibleText = (outcome: Outcome): string =>
  [outcome.code, outcome.details, textOf(outcome.headers), textOf(outcome.trailers), JSON.stringify(richStatusOf(outcome))].join('\n')

const textOf = (metadata: Metadata): string =>
  Object.entries(metadata.toJSON()).map(([name, values]) => `${name}: ${values.map((value) => value.toString('latin1')).join()}`).join('\n')
