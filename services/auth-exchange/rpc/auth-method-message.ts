import type { Violations } from '#libs/domain-error.js'
import { AuthMethod as AuthMethodMessage } from '#libs/wire/gen/countersign/exchange/v1/auth_method.js'
import { type AuthMethod, type Configuration, type ConfiguredMethod, isConfigured, JWT_AUTH, KUBERNETES_AUTH, OIDC_AUTH, TOKEN_AUTH } from '../domain/auth-method.js'
import type { AskedRules } from '../domain/asked-assertion-rules.js'
import type { Secret } from '../domain/sealed.js'
import type { AskedOf, AuthMethods } from '../ports.js'

type ConfigurationMessage = AuthMethodMessage['configuration']

export type Configured = { readonly method: ConfiguredMethod; readonly configuration: Configuration; readonly secret: Secret }

/** What is to be stored of a configuration, and of which method it is; undefined where none was given. */
export function configurationFrom(message: ConfigurationMessage, methods: AuthMethods, wrong: Violations): Configured | undefined {
  const configured = <Name extends ConfiguredMethod>(method: Name, asked: AskedOf[Name]): Configured => {
    const at = (field: string) => wrong.at(`${method.replace('-', '_')}.${field}`)
    return { method, configuration: methods[method].configure(asked, at), secret: methods[method].secretOf?.(asked) }
  }
  switch (message?.$case) {
    case undefined: return undefined
    case 'tokenAuth': return configured(TOKEN_AUTH, message.value)
    case 'kubernetesAuth': return configured(KUBERNETES_AUTH, message.value)
    case 'oidcAuth': return configured(OIDC_AUTH, message.value)
    case 'jwtAuth': return configured(JWT_AUTH, message.value)
  }
}

/** The same where one must be given, with all that is its own. Refuses the request for whatever is wrong with it. */
export function requiredConfiguration(message: ConfigurationMessage, methods: AuthMethods, wrong: Violations): Configured & { readonly secret: Exclude<Secret, 'kept'> } {
  const configured = configurationFrom(message, methods, wrong)
  if (!configured) wrong.at('configuration')('must be set: token_auth, kubernetes_auth, oidc_auth or jwt_auth')
  const { method = TOKEN_AUTH, configuration = {}, secret } = configured ?? {}
  if (secret === 'kept') wrong.at('configuration')('must bring its secret: there is none yet that could be kept')
  wrong.refuse()
  return { method, configuration, secret: secret === 'kept' ? undefined : secret }
}

export const toAuthMethodMessage = (method: AuthMethod, methods: AuthMethods): AuthMethodMessage =>
  AuthMethodMessage.fromPartial({
    ...method,
    accessTokenUseLimit: method.accessTokenUseLimit ?? 0,
    accessTokenPeriodSeconds: method.accessTokenPeriodSeconds ?? 0,
    accessTokenTrustedIps: { cidrs: [...method.accessTokenTrustedIps] },
    configuration: configurationOf(method, methods),
  })

type ShownConfiguration = Parameters<typeof AuthMethodMessage.fromPartial>[0]['configuration']

const SHOWN: Readonly<Record<ConfiguredMethod, (configuration: Configuration, methods: AuthMethods) => ShownConfiguration>> = {
  [TOKEN_AUTH]: (configuration, methods) => ({ $case: 'tokenAuth', value: methods[TOKEN_AUTH].show(configuration) }),
  [KUBERNETES_AUTH]: (configuration, methods) => {
    const { audiences, namespaces, names, ...shown } = methods[KUBERNETES_AUTH].show(configuration)
    return { $case: 'kubernetesAuth', value: { ...shown, audiences: [...audiences], namespaces: [...namespaces], names: [...names] } }
  },
  [OIDC_AUTH]: (configuration, methods) => ({ $case: 'oidcAuth', value: withRules(methods[OIDC_AUTH].show(configuration)) }),
  [JWT_AUTH]: (configuration, methods) => {
    const { publicKeys, ...shown } = methods[JWT_AUTH].show(configuration)
    return { $case: 'jwtAuth', value: { ...withRules(shown), publicKeys: [...publicKeys] } }
  },
}

const withRules = <Shown extends AskedRules>({ audiences, boundClaims, ...shown }: Shown) => ({
  ...shown,
  audiences: [...audiences],
  boundClaims: boundClaims.map(({ path, globs }) => ({ path, globs: [...globs] })),
})

const configurationOf = ({ method, configuration }: AuthMethod, methods: AuthMethods): ShownConfiguration =>
  isConfigured(method) ? SHOWN[method](configuration, methods) : undefined
