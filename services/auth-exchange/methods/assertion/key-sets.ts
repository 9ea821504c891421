import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Clock } from '#libs/clock.js'
import { NoAnswer, type Outbound } from '#libs/outbound/outbound.js'
import { type PublicKey, publicKeysFrom } from './public-keys.js'

/** Where an issuer publishes its keys: at a URL, or where the discovery document of the issuer says. */
export type KeySource = { readonly caCertificate?: string | undefined } & ({ readonly jwksUrl: string } | { readonly issuer: string })

export type KeySets = {
  /** The keys of the source that may have signed; NoAnswer where it can't be asked. `account`: whose login makes us ask. */
  keysOf(source: KeySource, keyId: string | undefined, account: string): Promise<readonly PublicKey[]>
}

type Known = {
  keys: readonly PublicKey[] | undefined
  loadTime: number
  /** Of the last attempt. */
  askTime: number
  failure: NoAnswer | undefined
  asking: Promise<void> | undefined
}

const FRESH_MILLIS = 5 * 60_000
/** An issuer that can't be reached is believed for so long. */
const STALE_MILLIS = 60 * 60_000
/** A key that is not known, or an issuer that can't be reached, is not asked for sooner again. */
const ASK_EVERY_MILLIS = 5_000

const MAX_SOURCES = 1_000
const MAX_BYTES = 16 * 1024 * 1024
const BYTES_OF_SOURCE = 1_000
const BYTES_OF_KEY = 3_000

/** Without a name in the assertion each key could be the one. */
const MAX_TRIED = 10

const discovery = z.object({ issuer: z.string(), jwks_uri: z.string() })

/** Key sets as they were last seen, each known by its URL and the CA that it is believed by: the keys of one issuer never speak for another. */
export function keySets({ outbound, clock }: { readonly outbound: Outbound; readonly clock: Clock }): KeySets {
  const sources = new LRUCache<string, Known>({ max: MAX_SOURCES, maxSize: MAX_BYTES, sizeCalculation: ({ keys = [] }) => BYTES_OF_SOURCE + keys.length * BYTES_OF_KEY })
  const knownOf = (name: string): Known => {
    const known = sources.get(name)
    if (known) return known
    const unknown = { keys: undefined, loadTime: -Infinity, askTime: -Infinity, failure: undefined, asking: undefined }
    sources.set(name, unknown)
    return unknown
  }
  const ask = async (known: Known, source: KeySource, account: string): Promise<void> => {
    known.askTime = clock.now().getTime()
    try {
      known.keys = await load(outbound, source, account)
      known.loadTime = clock.now().getTime()
      known.failure = undefined
      // It has another size now.
      sources.delete(nameOf(source))
      sources.set(nameOf(source), known)
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      known.failure = error
    } finally {
      known.asking = undefined
    }
  }
  return {
    keysOf: async (source, keyId, account) => {
      const known = knownOf(nameOf(source))
      const age = () => clock.now().getTime() - known.loadTime
      const isKnown = () => candidates(known.keys ?? [], keyId).length > 0
      if (!(isKnown() && age() < FRESH_MILLIS) && (known.asking || clock.now().getTime() - known.askTime >= ASK_EVERY_MILLIS)) {
        known.asking ??= ask(known, source, account)
        await known.asking
      }
      const isUsable = known.failure === undefined ? known.keys !== undefined : isKnown() && age() < STALE_MILLIS
      if (!isUsable) throw known.failure ?? new NoAnswer('its keys were never read')
      return candidates(known.keys ?? [], keyId)
    },
  }
}

const nameOf = (source: KeySource): string => JSON.stringify(['issuer' in source ? 'issuer' : 'url', 'issuer' in source ? source.issuer : source.jwksUrl, source.caCertificate ?? ''])

const candidates = (keys: readonly PublicKey[], keyId: string | undefined): readonly PublicKey[] =>
  keyId === undefined ? keys.slice(0, MAX_TRIED) : keys.filter((key) => key.keyId === keyId)

async function load(outbound: Outbound, source: KeySource, account: string): Promise<readonly PublicKey[]> {
  const { caCertificate } = source
  const get = async (url: string): Promise<unknown> => {
    const { status, json } = await outbound.ask({ url, caCertificate, account })
    if (status !== 200) throw new NoAnswer(`${url} answered with ${status}`)
    return json
  }
  const keys = publicKeysFrom(await get('issuer' in source ? await jwksUrlOf(source.issuer, get) : source.jwksUrl))
  if (!keys) throw new NoAnswer('what is published is no JSON Web Key Set')
  return keys
}

async function jwksUrlOf(issuer: string, get: (url: string) => Promise<unknown>): Promise<string> {
  const document = discovery.safeParse(await get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`))
  if (!document.success) throw new NoAnswer('the discovery document is none')
  if (document.data.issuer !== issuer) throw new NoAnswer('the discovery document is that of another issuer')
  return document.data.jwks_uri
}
