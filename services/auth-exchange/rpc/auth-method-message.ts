import type { Report, Violations } from '#libs/domain-error.js'
import { AuthMethod as AuthMethodMessage } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { type AuthMethod, type Configuration, type ConfiguredMethod, isConfigured, TOKEN_AUTH } from '../domain/auth-method.js'
import type { AuthMethods } from '../ports.js'

type ConfigurationMessage = AuthMethodMessage['configuration']

export type Configured = { readonly method: string; readonly configuration: Configuration }

/** What is to be stored of a configuration, and of which method it is; undefined where none was given. */
export function configurationFrom(message: ConfigurationMessage, methods: AuthMethods, wrong: Violations): Configured | undefined {
  const within = (prefix: string) => (field: string): Report => wrong.at(`${prefix}.${field}`)
  switch (message?.$case) {
    case undefined: return undefined
    case 'tokenAuth': return { method: TOKEN_AUTH, configuration: methods[TOKEN_AUTH].configure(message.value, within('token_auth')) }
  }
}

/** The same where one must be given. Refuses the request for whatever is wrong with it. */
export function requiredConfiguration(message: ConfigurationMessage, methods: AuthMethods, wrong: Violations): Configured {
  const configured = configurationFrom(message, methods, wrong)
  if (!configured) wrong.at('configuration')('must be set: token_auth')
  wrong.refuse()
  return configured ?? { method: TOKEN_AUTH, configuration: {} }
}

export const toAuthMethodMessage = (method: AuthMethod, methods: AuthMethods): AuthMethodMessage =>
  AuthMethodMessage.fromPartial({
    ...method,
    accessTokenUseLimit: method.accessTokenUseLimit ?? 0,
    accessTokenPeriodSeconds: method.accessTokenPeriodSeconds ?? 0,
    accessTokenTrustedIps: { cidrs: [...method.accessTokenTrustedIps] },
    configuration: configurationOf(method, methods),
  })

const SHOWN: Readonly<Record<ConfiguredMethod, (configuration: Configuration, methods: AuthMethods) => ConfigurationMessage>> = {
  [TOKEN_AUTH]: (configuration, methods) => ({ $case: 'tokenAuth', value: methods[TOKEN_AUTH].show(configuration) }),
}

const configurationOf = ({ method, configuration }: AuthMethod, methods: AuthMethods): ConfigurationMessage =>
  isConfigured(method) ? SHOWN[method](configuration, methods) : undefined
