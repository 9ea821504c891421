import type { TrustedIps } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import type { Group, Identity } from './group.js'
import { etagMoved } from './registry-calls.js'
import type { ExchangeMethod, Step } from './step.js'
import { type Addresses, type Trust, WITH_HERE, WITHOUT_HERE } from './trusted-addresses.js'

type Given = { readonly accessTokenTrustedIps: TrustedIps; readonly etag: string }

/** How the method is changed that the trust is of. */
export type TrustedBy = {
  readonly what: ExchangeMethod
  readonly trust: Trust
  readonly update: (given: Given) => Promise<{ etag: string; revision: string }>
  readonly read: () => Promise<{ etag: string }>
}

/** Other addresses, mostly such that mean the opposite for whoever asks from here. */
export function changeTrust(group: Group, about: Identity, by: TrustedBy, value = otherValue(group, by.trust)): Step {
  const { what, trust, update, read } = by
  const addresses = group.random.oneOf(value === 'allow' ? WITH_HERE : WITHOUT_HERE)
  return {
    what,
    feed: 'exchange',
    about,
    apply: () => (trust.addresses = addresses),
    attempt: async () => {
      const { etag, revision } = await update({ accessTokenTrustedIps: { cidrs: [...addresses.cidrs] }, etag: trust.etag })
      return { revision, keep: () => (trust.etag = etag) }
    },
    again: ({ reason }) => (reason === 'ETAG_STALE' ? etagMoved(trust, read) : Promise.resolve(undefined)),
  }
}

const otherValue = ({ random }: Group, { addresses: { value } }: Trust): Addresses['value'] => (random.chance(0.3) ? value : value === 'allow' ? 'elsewhere' : 'allow')
