import { z } from 'zod'
import { type Context, readJson } from './context.js'
import { type Failure, wrongUsage } from './failure.js'
import { askSecret } from './prompt.js'
import { readSecret, type Tell, warnIfOpenToOthers } from './read-text.js'
import type { Environment } from './variables.js'

// With which client id and client secret a command acts. Options win over the environment, the environment over files.

export type Credentials = {
  readonly clientId: string
  /** Where they come from, for people. */
  readonly source: string
  /** Asked for only when there is no token of an earlier command. */
  readonly clientSecret: () => Promise<string>
}

export type CredentialOptions = {
  readonly credentialsFile?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecretFile?: string | undefined
  /** Whether a person may be asked for the secret. */
  readonly mayAsk?: boolean | undefined
}

const credentialsFile = z.object({ clientId: z.string().min(1), clientSecret: z.string().min(1) })

type Around = { readonly environment: Environment; readonly context: Context; readonly tell: Tell }

export function findCredentials(options: CredentialOptions, around: Around): Credentials {
  const { environment, context, tell } = around
  if (options.credentialsFile !== undefined && (options.clientId !== undefined || options.clientSecretFile !== undefined)) {
    throw wrongUsage('Give either --credentials-file, or --client-id with --client-secret-file.')
  }
  if (options.credentialsFile !== undefined) return fromFile(options.credentialsFile, tell)
  const clientId = options.clientId ?? (environment.COUNTERSIGN_CLIENT_ID || undefined)
  if (clientId !== undefined) return byClientId(clientId, options, around)
  if (options.clientSecretFile !== undefined) throw wrongUsage('--client-secret-file needs --client-id or COUNTERSIGN_CLIENT_ID.')
  if (environment.COUNTERSIGN_CLIENT_SECRET || environment.COUNTERSIGN_CLIENT_SECRET_FILE) {
    throw wrongUsage('COUNTERSIGN_CLIENT_SECRET is set without COUNTERSIGN_CLIENT_ID.')
  }
  if (context.credentialsFile !== undefined) return fromFile(context.credentialsFile, tell)
  // Where there is no Countersign at all, that is what is missing.
  context.addressOf('exchange')
  throw noCredentials()
}

function fromFile(path: string, tell: Tell): Credentials {
  const { clientId, clientSecret } = readJson(path, credentialsFile)
  warnIfOpenToOthers(path, tell)
  return { clientId, source: path, clientSecret: () => Promise.resolve(clientSecret) }
}

function byClientId(clientId: string, options: CredentialOptions, { environment, tell }: Around): Credentials {
  const inEnvironment = clientId === environment.COUNTERSIGN_CLIENT_ID
  return {
    clientId,
    source: options.clientId === undefined ? 'COUNTERSIGN_CLIENT_ID' : '--client-id',
    clientSecret: () => {
      const file = options.clientSecretFile ?? (inEnvironment ? environment.COUNTERSIGN_CLIENT_SECRET_FILE || undefined : undefined)
      if (file !== undefined) return readSecret(file, tell)
      const secret = inEnvironment ? environment.COUNTERSIGN_CLIENT_SECRET : undefined
      if (secret) return Promise.resolve(secret)
      if (!options.mayAsk) throw noSecret(clientId)
      return askSecret(`client secret of ${clientId}: `, process.stdin, process.stderr)
    },
  }
}

const noCredentials = (): Failure =>
  wrongUsage('No credentials to act with: name a file with --credentials-file FILE, or set COUNTERSIGN_CLIENT_ID and COUNTERSIGN_CLIENT_SECRET.')

const noSecret = (clientId: string): Failure =>
  wrongUsage(`There is no client secret to ${clientId}: set COUNTERSIGN_CLIENT_SECRET or COUNTERSIGN_CLIENT_SECRET_FILE or, for single commands, log in first with \`npx countersign login\`.`)
