import type { ConfigurableMethod } from '../../ports.js'

/** Token Auth: an operator makes the tokens, so that there is nothing to configure and no proof to verify. */
export const tokenAuth: ConfigurableMethod<object> = { configure: () => ({}), show: () => ({}) }
