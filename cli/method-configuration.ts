import { z } from 'zod'
import type { AttachAuthMethodRequest } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { readJson } from './context.js'
import { wrongUsage } from './failure.js'
import { type Tell, warnIfOpenToOthers } from './read-text.js'

// What is its own of an auth method, in a file of JSON with the names of the API. What is not said in it has its default.

export type ConfigurationOptions = { readonly configuration?: string }

type Configuration = NonNullable<AttachAuthMethodRequest['configuration']>

const texts = z.array(z.string())
const rules = {
  issuer: z.string(),
  caCertificate: z.string().default(''),
  audiences: texts,
  subject: z.string().default(''),
  boundClaims: z.array(z.strictObject({ path: z.string(), globs: texts })).default([]),
  maxAssertionLifeSeconds: z.int().default(0),
  mappedClaims: z.record(z.string(), z.string()).default({}),
}
const oidcAuth = z.strictObject(rules)
const jwtAuth = z.strictObject({ ...rules, jwksUrl: z.string().default(''), publicKeys: texts.default([]) })
const kubernetesAuth = z.strictObject({
  host: z.string(),
  caCertificate: z.string().default(''),
  audiences: texts,
  namespaces: texts,
  names: texts,
  reviewerToken: z.string().default(''),
  hasReviewerToken: z.boolean().default(false),
})

const READERS: Readonly<Record<string, (file: string, tell: Tell) => Configuration>> = {
  'kubernetes-auth': (file, tell) => {
    const value = readJson(file, kubernetesAuth)
    if (value.reviewerToken !== '') warnIfOpenToOthers(file, tell)
    return { $case: 'kubernetesAuth', value }
  },
  'oidc-auth': (file) => ({ $case: 'oidcAuth', value: readJson(file, oidcAuth) }),
  'jwt-auth': (file) => ({ $case: 'jwtAuth', value: readJson(file, jwtAuth) }),
}

/** What a method that is attached here is configured with. */
export function configurationOf(method: string, file: string | undefined, tell: Tell): Configuration {
  if (method === 'token-auth' && file === undefined) return { $case: 'tokenAuth', value: {} }
  const read = READERS[method]
  if (read && file !== undefined) return read(file, tell)
  if (read) throw wrongUsage(`${method} needs --configuration FILE: docs/auth-methods.md says what is in it.`)
  if (method === 'token-auth') throw wrongUsage('token-auth has no configuration.')
  throw wrongUsage(`${method} can't be attached here, but ${['token-auth', ...Object.keys(READERS)].join(', ')}; universal-auth is attached by identity create NAME --universal-auth.`)
}
