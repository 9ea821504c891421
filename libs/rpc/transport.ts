import { type ChannelCredentials, credentials, experimental, ServerCredentials } from '@grpc/grpc-js'
import { type Certificates, openCertificates } from '../certificates.js'
import { ConfigError, isLoopback } from '../env.js'
import type { Log } from '../log.js'

// How a service speaks with others: in plain text on one machine, and by TLS everywhere else. There is one certificate, shown
// to callers and to peers alike, and one CA, by which both are known.

export type Transport = {
  /** For a listener that anybody may call, or only those whose certificate is by the CA. */
  server(callers: 'anybody' | 'known'): ServerCredentials
  /** Towards peers, whose certificates must be by the CA and name the host that is called. */
  readonly client: ChannelCredentials
  /** Undefined where nothing is encrypted. */
  readonly certificates: Certificates | undefined
  close(): Promise<void>
}

export const PLAIN: Transport = {
  server: () => ServerCredentials.createInsecure(),
  client: credentials.createInsecure(),
  certificates: undefined,
  close: () => Promise.resolve(),
}

type Config = {
  readonly TLS_CERTIFICATE_FILE?: string | undefined
  readonly TLS_KEY_FILE?: string | undefined
  readonly TLS_CA_FILE?: string | undefined
}

/** Where a service listens for others, and the variable that says so. */
type Internal = { readonly host: string; readonly variable: string }

const NAMES = ['TLS_CERTIFICATE_FILE', 'TLS_KEY_FILE', 'TLS_CA_FILE'] as const

/** Refuses half a configuration, and an internal listener that anybody on the network could read along. */
export function transportOf(config: Config, log: Log, internal?: Internal): Transport {
  const { TLS_CERTIFICATE_FILE: certificateFile, TLS_KEY_FILE: keyFile, TLS_CA_FILE: caFile } = config
  if (certificateFile !== undefined && keyFile !== undefined && caFile !== undefined) return encrypted(openCertificates({ certificateFile, keyFile, caFile }, log))
  const problems = NAMES.some((name) => config[name] !== undefined)
    ? NAMES.filter((name) => config[name] === undefined).map((name) => `${name}: is missing, and TLS needs all of ${NAMES.join(', ')}`)
    : []
  if (internal && !isLoopback(internal.host)) problems.push(`${internal.variable}: must be a loopback address, or there must be TLS: ${NAMES.join(', ')}`)
  if (problems.length > 0) throw new ConfigError(problems)
  return PLAIN
}

function encrypted(certificates: Certificates): Transport {
  const { provider } = certificates
  return {
    // Its first parameter is called the CA's and is the certificate's (grpc-js 1.14.7 takes them in the other order).
    server: (callers) => experimental.createCertificateProviderServerCredentials(provider, callers === 'known' ? provider : null, callers === 'known'),
    client: experimental.createCertificateProviderChannelCredentials(provider, provider),
    certificates,
    close: () => certificates.close(),
  }
}
