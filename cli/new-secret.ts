import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import {
  CreateClientSecretRequest,
  type CreateClientSecretResponse,
  RevokeClientSecretRequest,
} from '#libs/wire/gen/countersign/exchange/v1/client_secret.js'
import type { Identity } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import type { Answer } from './answer.js'
import type { Shell } from './command.js'
import { Failure, wrongUsage } from './failure.js'
import { nextCommand, suggestedFile } from './next-command.js'
import { type Reservation, reservePrivateFile } from './private-file.js'
import type { Session } from './session.js'
import type { Cell } from './table.js'

// A client secret is shown once: it goes into a file that only its owner can read, or else onto the screen.

type Wanted = {
  readonly from?: readonly string[] | undefined
  readonly wrapTtlSeconds?: number | undefined
  readonly identity: Identity
  readonly description?: string | undefined
  readonly ttlSeconds?: number | undefined
  readonly useLimit?: number | undefined
}

/** Where the secret goes. */
export type Destination = { readonly file?: string | undefined; readonly reservation?: Reservation | undefined }

export type MadeSecret = {
  readonly document: Readonly<Record<string, string>>
  readonly fields: readonly (readonly [string, Cell])[]
  readonly notes: readonly string[]
}

type Made = Pick<CreateClientSecretResponse, 'clientSecret' | 'clientId' | 'secret' | 'wrappingToken' | 'wrappingExpireTime'>

type Written = { readonly identity: Identity; readonly made: Made }

/** How a new secret is delivered: as --credentials-file and --wrap say. */
type Delivery = { readonly credentialsFile?: string | undefined; readonly wrap?: number | undefined }

/** Refuses what would have the one token of a wrapped secret be lost, or has a file for a secret that is not shown. */
export function assertDelivers({ credentialsFile, wrap }: Delivery, shell: Shell): void {
  if (wrap === undefined) return
  if (credentialsFile !== undefined) throw wrongUsage('A wrapped secret is not shown, so that there is none to write: give --wrap or --credentials-file.')
  if (shell.quiet) throw wrongUsage('With --quiet the wrapping token would be lost.')
}

/** The command by which what was made is put to use. */
export const commandAfter = ({ name }: Identity, { credentialsFile, wrap }: Delivery): string =>
  wrap === undefined
    ? nextCommand('login', '--credentials-file', credentialsFile ?? suggestedFile(name))
    : nextCommand('secret', 'unwrap', '--token-file', '-', '--credentials-file', suggestedFile(name))

/** Does the work with a place for the secret, of which it is known before that the secret can be put there. */
export async function withDestination(file: string | undefined, shell: Shell, work: (destination: Destination) => Promise<Answer>): Promise<Answer> {
  if (file === undefined && shell.quiet) throw wrongUsage('With --quiet the secret would be lost: name a file for it with --credentials-file FILE.')
  const reservation = file === undefined ? undefined : reservePrivateFile(file)
  try {
    return await work({ file, reservation })
  } finally {
    reservation?.release()
  }
}

export async function makeSecret(session: Session, wanted: Wanted, destination: Destination): Promise<MadeSecret> {
  const { identity, description = '', ttlSeconds = 0, useLimit = 0, from, wrapTtlSeconds = 0 } = wanted
  const limits = { ttlSeconds, useLimit, ...(from && { trustedIps: { cidrs: [...from] } }) }
  const request = CreateClientSecretRequest.fromPartial({ identityId: identity.id, description, ...limits, wrapTtlSeconds })
  return delivered(session, { identity, made: await session.call('exchange', exchange.createClientSecret, request) }, destination)
}

/** Puts a secret where it goes, and says what of it is for people and for programs. */
export async function delivered(session: Session, { identity, made }: Written, { file, reservation }: Destination): Promise<MadeSecret> {
  const ids = { clientId: made.clientId, clientSecretId: made.clientSecret?.id ?? '' }
  const expires = made.clientSecret?.expireTime ?? 'never'
  const fields = [['client id', ids.clientId], ['client secret id', ids.clientSecretId], ['secret expires', expires]] as const
  if (made.wrappingExpireTime !== undefined) {
    const { wrappingToken, wrappingExpireTime } = made
    return {
      document: { ...ids, wrappingToken, wrappingExpireTime: wrappingExpireTime.toISOString() },
      fields: [...fields, ['wrapped until', wrappingExpireTime], ['wrapping token', wrappingToken]],
      notes: ['', 'The wrapping token gives the secret once, to whoever shows it first: who is refused must have the secret revoked.'],
    }
  }
  if (file === undefined || reservation === undefined) {
    return {
      document: { ...ids, clientSecret: made.secret },
      fields: [...fields, ['client secret', made.secret]],
      notes: ['', 'The client secret is shown this once: keep it where only the workload can read it.'],
    }
  }
  await write(session, { identity, made }, reservation)
  return { document: { ...ids, credentialsFile: file }, fields: [...fields, ['credentials', file]], notes: [] }
}

async function write(session: Session, { identity, made }: Written, reservation: Reservation): Promise<void> {
  const { id, organizationId } = identity
  const clientSecretId = made.clientSecret?.id ?? ''
  const contents = { organizationId, identityId: id, clientId: made.clientId, clientSecretId, clientSecret: made.secret }
  try {
    reservation.write(`${JSON.stringify(contents, undefined, 2)}\n`)
  } catch (error) {
    // A secret that nobody has must not stay good.
    await session.call('exchange', exchange.revokeClientSecret, RevokeClientSecretRequest.fromPartial({ identityId: id, id: clientSecretId }))
    const reason = error instanceof Error ? error.message : String(error)
    const message = `The credentials file could not be written, so the new client secret was revoked: ${reason}`
    throw new Failure({ exitCode: 2, reason: 'CREDENTIALS_NOT_WRITTEN', message })
  }
}
