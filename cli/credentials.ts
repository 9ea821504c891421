import { z } from 'zod'
import { byAssertion } from './assertion.js'
import { type Context, readJson } from './context.js'
import { type Failure, wrongUsage } from './failure.js'
import { isAssertionMethod, methodOf, type MethodOptions } from './login-method.js'
import { askSecret } from './prompt.js'
import type { Credentials, Proof } from './proof.js'
import { readSecret, type Tell, warnIfOpenToOthers } from './read-text.js'
import type { Environment } from './variables.js'

// What a command proves itself with. Options win over the environment, the environment over files.

export type CredentialOptions = MethodOptions & {
  /** Whether a person may be asked for the secret. */
  readonly mayAsk?: boolean | undefined
}

const ASSERTION_VARIABLES = ['COUNTERSIGN_IDENTITY', 'COUNTERSIGN_ASSERTION_FILE', 'COUNTERSIGN_ASSERTION'] as const

const credentialsFile = z.object({ clientId: z.string().min(1), clientSecret: z.string().min(1) })

type Around = { readonly environment: Environment; readonly context: Context; readonly tell: Tell }

export function findCredentials(options: CredentialOptions, around: Around): Credentials {
  const { environment, context, tell } = around
  const method = methodOf(options, environment)
  if (isAssertionMethod(method)) return byAssertion(method, options, environment)
  if (method === 'token-auth') throw wrongUsage('token-auth has no login, and only `agent` takes it: show its token where a command has --token-file.')
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
  const unused = ASSERTION_VARIABLES.filter((name) => environment[name])
  if (unused.length > 0 && options.method === undefined && !environment.COUNTERSIGN_METHOD) throw wrongUsage(`COUNTERSIGN_METHOD is missing, and without it there is no use for ${unused.join(', ')}.`)
  if (context.credentialsFile !== undefined) return fromFile(context.credentialsFile, tell)
  // Where there is no Countersign at all, that is what is missing.
  context.addressOf('exchange')
  throw noCredentials()
}

function fromFile(path: string, tell: Tell): Credentials {
  const { clientId, clientSecret } = readJson(path, credentialsFile)
  warnIfOpenToOthers(path, tell)
  return { holder: { clientId }, source: path, proof: () => Promise.resolve(proofOf(clientId, clientSecret)) }
}

function byClientId(clientId: string, options: CredentialOptions, { environment, tell }: Around): Credentials {
  const inEnvironment = clientId === environment.COUNTERSIGN_CLIENT_ID
  return {
    holder: { clientId },
    source: options.clientId === undefined ? 'COUNTERSIGN_CLIENT_ID' : '--client-id',
    proof: async () => proofOf(clientId, await secretTo(clientId, options, { environment: inEnvironment ? environment : {}, tell })),
  }
}

const proofOf = (clientId: string, clientSecret: string): Proof => ({ $case: 'universalAuth', value: { clientId, clientSecret } })

async function secretTo(clientId: string, { clientSecretFile, mayAsk }: CredentialOptions, { environment, tell }: Omit<Around, 'context'>): Promise<string> {
  const file = clientSecretFile ?? (environment.COUNTERSIGN_CLIENT_SECRET_FILE || undefined)
  if (file !== undefined) return readSecret(file, tell)
  if (environment.COUNTERSIGN_CLIENT_SECRET) return environment.COUNTERSIGN_CLIENT_SECRET
  if (!mayAsk) throw noSecret(clientId)
  return askSecret(`client secret of ${clientId}: `, process.stdin, process.stderr)
}

const noCredentials = (): Failure =>
  wrongUsage('No credentials to act with: name a file with --credentials-file FILE, or set COUNTERSIGN_CLIENT_ID and COUNTERSIGN_CLIENT_SECRET.')

const noSecret = (clientId: string): Failure =>
  wrongUsage(`There is no client secret to ${clientId}: set COUNTERSIGN_CLIENT_SECRET or COUNTERSIGN_CLIENT_SECRET_FILE or, for single commands, log in first with \`npx countersign login\`.`)
