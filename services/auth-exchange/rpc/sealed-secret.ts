import { Violations } from '#libs/domain-error.js'
import type { AuthMethod, Configuration } from '../domain/auth-method.js'
import { NOTHING_SEALED, type Sealed, type Secret } from '../domain/sealed.js'
import type { AuthMethods, ConfigurationSeal } from '../ports.js'
import type { Configured } from './auth-method-message.js'

/** What is stored of a secret that is given, or of none. */
export const sealedOf = (secret: Exclude<Secret, 'kept'>, id: string, seal: ConfigurationSeal): Sealed => (secret ? seal.seal(id, secret.text) : NOTHING_SEALED)

/**
 * What is stored of the secret of a configuration that takes the place of another; undefined: what is there stays. That it may
 * only where it goes on to the very same place, and was never readable to whoever names the place.
 */
export function sealedOver(stored: AuthMethod, configured: Configured, { methods, seal }: { readonly methods: AuthMethods; readonly seal: ConfigurationSeal }): Sealed | undefined {
  const { method, configuration, secret } = configured
  if (secret !== 'kept') return sealedOf(secret, stored.id, seal)
  const wrong = new Violations()
  const placeOf = (of: Configuration) => methods[method].goesTo?.(of)
  const place = placeOf(stored.configuration)
  if (place === undefined) wrong.at('configuration')('must bring its secret: there is none yet that could be kept')
  else if (place !== placeOf(configuration)) wrong.at('configuration')('must bring its secret again, where it is to go to another host or is to believe another CA')
  wrong.refuse()
  return undefined
}
