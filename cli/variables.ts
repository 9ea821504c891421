// What the command line reads from the environment, with what each is for: docs/configuration.md is made of it, and what is
// not here can't be read.

export const commandLineVariables = {
  COUNTERSIGN_REGISTRY: '`host:port` of identity-registry',
  COUNTERSIGN_EXCHANGE: '`host:port` of auth-exchange',
  COUNTERSIGN_CHECK: '`host:port` of authorization-check',
  COUNTERSIGN_CONTEXT_FILE: 'the context file, by default `countersign/context.json` in `XDG_CONFIG_HOME`; named here, it must be there',
  COUNTERSIGN_CLIENT_ID: 'the client id to act with',
  COUNTERSIGN_CLIENT_SECRET: 'the client secret to it; without one, the token that `login` kept is used',
  COUNTERSIGN_CLIENT_SECRET_FILE: 'path of a file that holds the client secret; it counts before `COUNTERSIGN_CLIENT_SECRET`',
  COUNTERSIGN_METHOD: 'the auth method to act by: `universal-auth` (the default), `kubernetes-auth`, `oidc-auth`, `jwt-auth` and, for `agent`, `token-auth`',
  COUNTERSIGN_IDENTITY: 'the id of the identity to act as, by `kubernetes-auth`, `oidc-auth` or `jwt-auth`',
  COUNTERSIGN_ASSERTION_FILE: 'path of a file that holds the JWT which one of these shows; `kubernetes-auth` has that of the service account without it',
  COUNTERSIGN_ASSERTION: 'that JWT itself; `COUNTERSIGN_ASSERTION_FILE` counts before it',
  COUNTERSIGN_CREDENTIALS_FILE: "path of `{\"clientId\": …, \"clientSecret\": …}`; counts before the context file's `credentialsFile`",
  COUNTERSIGN_TOKEN: 'the access token that `check` asks about; `--token-file` counts before it',
  COUNTERSIGN_CA_FILE: 'path of the CA by which services are known, in PEM; without it they are spoken to in plain text',
  COUNTERSIGN_CERTIFICATE_FILE: 'path of a certificate of your own, in PEM, for `bootstrap` and `signing-key`: only internal listeners ask for one',
  COUNTERSIGN_KEY_FILE: 'path of the key of that certificate',
  COUNTERSIGN_METRICS: '`host:port`, or several with commas between, of metrics that `doctor` looks at',
  COUNTERSIGN_REGISTRY_INTERNAL: "`host:port` of identity-registry's internal listener, for `bootstrap`",
  COUNTERSIGN_EXCHANGE_INTERNAL: "`host:port` of auth-exchange's internal listener, for `bootstrap` and `signing-key`",
  COUNTERSIGN_BOOTSTRAP_CREDENTIAL: 'the secret of the internal caller `bootstrap`; as `NAME_FILE`, the path of a file that holds it',
  COUNTERSIGN_OPERATOR_CREDENTIAL: '`NAME:SECRET` of an internal caller of auth-exchange, for `signing-key`; as `NAME_FILE`, the path of a file that holds it',
  XDG_CONFIG_HOME: 'where the context file is looked for, by default `~/.config`',
  XDG_CACHE_HOME: 'where tokens are kept, in `countersign/tokens.json`, by default `~/.cache`',
  HOME: 'what `~` stands for in these two',
  NO_COLOR: 'anything: no colours on a terminal',
} as const

export type Environment = { readonly [Name in keyof typeof commandLineVariables]?: string | undefined }
