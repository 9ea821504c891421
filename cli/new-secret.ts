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
import { type Reservation, reservePrivateFile } from './private-file.js'
import type { Session } from './session.js'
import type { Cell } from './table.js'

// A client secret is shown once: it goes into a file that only its owner can read, or else onto the screen.

type Wanted = {
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

type Written = { readonly identity: Identity; readonly made: CreateClientSecretResponse }

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

export async function makeSecret(session: Session, wanted: Wanted, { file, reservation }: Destination): Promise<MadeSecret> {
  const { identity, description = '', ttlSeconds = 0, useLimit = 0 } = wanted
  const request = CreateClientSecretRequest.fromPartial({ identityId: identity.id, description, ttlSeconds, useLimit })
  const made = await session.call('exchange', exchange.createClientSecret, request)
  const ids = { clientId: made.clientId, clientSecretId: made.clientSecret?.id ?? '' }
  const expires = made.clientSecret?.expireTime ?? 'never'
  const fields = [['client id', ids.clientId], ['client secret id', ids.clientSecretId], ['secret expires', expires]] as const
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
