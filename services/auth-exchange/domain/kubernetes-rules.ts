import { compileGlob } from '#libs/rules/glob.js'
import type { MappedClaims } from './assertion-rules.js'
import { Unproven } from './unproven.js'

/** Which service accounts of a cluster prove an identity. */
export type KubernetesRules = {
  /** Those that we are: a token of the cluster that is for none of them is for somebody else. */
  readonly audiences: readonly string[]
  /** Globs, of which one has to match. */
  readonly namespaces: readonly string[]
  readonly names: readonly string[]
}

/** What an API server says of a token. */
export type ReviewedToken = {
  readonly authenticated: boolean
  readonly username: string
  readonly uid: string
  readonly audiences: readonly string[]
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?):([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/
const UID = /^[\x21-\x7e]{1,128}$/

/** Refuses whoever is none of them; answers with what rules may speak of. */
export function judgeReviewed({ authenticated, username, uid, audiences }: ReviewedToken, rules: KubernetesRules): MappedClaims {
  if (!authenticated) throw new Unproven('not authenticated by the cluster')
  // Asked about audiences, an API server names those that hold. One that names none has not looked.
  if (!audiences.some((audience) => rules.audiences.includes(audience))) throw new Unproven('audience not allowed')
  const [, namespace, name] = SERVICE_ACCOUNT.exec(username) ?? []
  if (namespace === undefined || name === undefined || !UID.test(uid)) throw new Unproven('no service account')
  if (!anyMatches(rules.namespaces, namespace)) throw new Unproven('namespace not allowed')
  if (!anyMatches(rules.names, name)) throw new Unproven('name not allowed')
  return new Map([['kubernetes.namespace', namespace], ['kubernetes.name', name], ['kubernetes.uid', uid]])
}

const anyMatches = (globs: readonly string[], text: string): boolean => globs.some((glob) => compileGlob(glob).matches(text))
