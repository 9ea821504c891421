import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { DomainError } from '../domain-error.js'
import type { Call, Unary, UnaryAdapter } from './unary.js'

// How services know each other: each has a name and a secret of its own, and each internal listener has a list of who may
// call what, about whom. The list holds SHA-256 digests, so reading it does not let one call.

export const CREDENTIAL_HEADER = 'countersign-credential'

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be the hex SHA-256 of a secret')
const callerSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Of the current secret and, while secrets are being changed, of the next. */
  digests: z.array(digest).min(1).max(2),
  /** Names that the caller's certificate must be for, one of them at least: `DNS:name` or `URI:spiffe://...`. */
  certificates: z.array(z.string().regex(/^(DNS|URI):./, 'must be DNS:name or URI:spiffe://...')).min(1).optional(),
  /** `/package.Service/Method`, or `/package.Service/*`. */
  methods: z.array(z.string()).min(1),
  /** Ids, or `*`. */
  organizations: z.array(z.string()).min(1),
  /** Ids, or `*`. */
  projects: z.array(z.string()).min(1),
})

/** The configuration variable INTERNAL_CALLERS: a JSON list of who may call. */
export const internalCallers = z.string().transform((text, context) => {
  const parsed = z.array(callerSchema).safeParse(jsonOrUndefined(text))
  if (parsed.success) return parsed.data
  context.addIssue('must be a JSON list of {name, digests, certificates?, methods, organizations, projects}')
  return z.NEVER
})

export type InternalCaller = z.output<typeof callerSchema>

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `NAME:SECRET`, as a service is configured with its own credential and sends it. */
export const serviceCredential = z.string().regex(/^[a-z][a-z0-9-]*:[\x21-\x7e]{32,}$/, 'must be NAME:SECRET, with a secret of at least 32 characters')

export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export const serviceCredentialRejected = (): DomainError =>
  new DomainError('UNAUTHENTICATED', 'SERVICE_CREDENTIAL_REJECTED', 'This port is for services: the service credential is missing or wrong.')

export const serviceNotAllowed = (method: string): DomainError =>
  new DomainError('PERMISSION_DENIED', 'SERVICE_NOT_ALLOWED', `The service credential is not good for ${method}.`, { metadata: { method } })

/** A service whose credential was accepted for the call. */
export type ServiceCaller = { readonly name: string; readonly mayAskAbout: (organizationId: string, projectId?: string) => boolean }

export type ServiceCallers = {
  /** Whether the call shows a service credential at all. */
  isShownIn(call: Call): boolean
  require(call: Call): ServiceCaller
}

export function serviceCallers(callers: readonly InternalCaller[]): ServiceCallers {
  return {
    isShownIn: (call) => call.metadata.get(CREDENTIAL_HEADER).length > 0,
    require: (call) => {
      const [shown, ...more] = call.metadata.get(CREDENTIAL_HEADER)
      const [, name, secret] = typeof shown === 'string' && more.length === 0 ? (/^([a-z0-9-]+):(.+)$/.exec(shown) ?? []) : []
      const caller = callers.find((one) => one.name === name)
      if (!caller || secret === undefined || !isOneOf(secret, caller.digests)) throw serviceCredentialRejected()
      if (caller.certificates && !caller.certificates.some((one) => call.peerNames.includes(one))) throw serviceCredentialRejected()
      const [, service] = call.path.split('/')
      if (!caller.methods.includes(call.path) && !caller.methods.includes(`/${service}/*`)) throw serviceNotAllowed(call.path)
      return { name: caller.name, mayAskAbout: (organizationId, projectId) => covers(caller, organizationId, projectId) }
    },
  }
}

function isOneOf(secret: string, digests: readonly string[]): boolean {
  const shown = Buffer.from(digestOf(secret), 'hex')
  return digests.map((known) => timingSafeEqual(shown, Buffer.from(known, 'hex'))).includes(true)
}

function covers(caller: InternalCaller, organizationId: string, projectId: string | undefined): boolean {
  const has = (list: readonly string[], id: string) => list.includes('*') || list.includes(id)
  return has(caller.organizations, organizationId) && (projectId === undefined ? true : has(caller.projects, projectId))
}

/** The adapter for a port that only services may use: the handler is told which one calls. */
export type InternalUnary<Request, Response> = (request: Request, call: Call, caller: ServiceCaller) => Response | Promise<Response>

export function internalAdapter(unary: UnaryAdapter, callers: ServiceCallers) {
  return <Request, Response>(handler: InternalUnary<Request, Response>, quiet?: (response: Response) => boolean) => {
    const guarded: Unary<Request, Response> = (request, call) => handler(request, call, callers.require(call))
    return unary(guarded, quiet)
  }
}

export type InternalAdapter = ReturnType<typeof internalAdapter>
