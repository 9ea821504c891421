import { kidIn } from '#libs/active-token.js'
import type { TrackId } from './history.js'
import type { Recorder } from './recorder.js'

/** What signed tokens. One that signs no more is not used by those who hold its tokens: it may be revoked at any moment. */
export type SigningKey = { readonly kid: string; readonly track: TrackId; state: 'signs' | 'retired' | 'revoked' }

/** The keys of the installation, as far as a token was seen of them or they were told of. */
export class SigningKeys {
  readonly #byKid = new Map<string, SigningKey>()

  constructor(private readonly recorder: Recorder) {}

  get all(): readonly SigningKey[] {
    return [...this.#byKid.values()]
  }

  /** The key that signed a token. */
  of(text: string): SigningKey {
    return this.named(kidIn(text))
  }

  named(kid: string): SigningKey {
    const known = this.#byKid.get(kid)
    if (known) return known
    const key: SigningKey = { kid, track: `signing key ${kid.slice(0, 8)}`, state: 'signs' }
    this.recorder.note({ type: 'track', track: key.track, feed: 'exchange', value: 'allow' })
    this.#byKid.set(kid, key)
    return key
  }
}
