import type { Answer, TrackId } from './history.js'

// From where tokens may be used: everything is asked from one address, which an auth method trusts or does not.

/** From where everything is asked. */
export const HERE = '203.0.113.7'

/** A list of trusted addresses, as it is answered, and what it means for whoever asks from here. */
export type Addresses = { readonly value: Extract<Answer, 'allow' | 'elsewhere'>; readonly cidrs: readonly string[] }

export const FROM_EVERYWHERE: Addresses = { value: 'allow', cidrs: ['0.0.0.0/0', '::/0'] }

export const WITH_HERE: readonly [Addresses, ...Addresses[]] = [FROM_EVERYWHERE, { value: 'allow', cidrs: ['203.0.113.0/24'] }, { value: 'allow', cidrs: ['2001:db8::/32', '203.0.113.7/32'] }]
export const WITHOUT_HERE: readonly [Addresses, ...Addresses[]] = [{ value: 'elsewhere', cidrs: ['198.51.100.0/24'] }, { value: 'elsewhere', cidrs: ['::/0', '203.0.113.8/32'] }]

/** What an auth method trusts by now, and its etag. */
export type Trust = { readonly track: TrackId; addresses: Addresses; etag: string }
