import { createSecureContext, type SecureContext } from 'node:tls'
import { messageOf } from './causes.js'
import { ConfigError } from './env.js'
import type { Log } from './log.js'
import { type CertificatePair, readAuthorities, readCertificatePair } from './pem.js'

// TLS towards PostgreSQL and Redis. Whoever answers is known by its certificate, always: one that nobody vouches for, or
// that is for another host, ends the connection before anything was said, a password above all.

export type StoreFiles = {
  /** By whom the store is known; without it, by the public CAs that Node knows. */
  readonly caFile?: string | undefined
  /** What we show to a store that asks for it; both, or none. */
  readonly certificateFile?: string | undefined
  readonly keyFile?: string | undefined
}

/** For tls.connect. The context is asked for whenever a connection is made, and is then as the files are. */
export type StoreTls = { readonly rejectUnauthorized: true; readonly secureContext: SecureContext }

type Material = { readonly ca: Buffer | undefined; readonly pair: CertificatePair | undefined }

/** `store` is what the names of the variables begin with. The files must be good by now; later, the last good ones are used. */
export function openStoreTls(store: 'DATABASE' | 'REDIS', files: StoreFiles, log: Log): StoreTls {
  const names = `${store}_CA_FILE, ${store}_CERTIFICATE_FILE, ${store}_KEY_FILE`
  let complaint = ''
  let material: Material
  let context: SecureContext
  try {
    material = readMaterial(files)
    context = contextOf(material)
  } catch (error) {
    throw new ConfigError([`${names}: ${messageOf(error)}`])
  }
  const refresh = () => {
    try {
      const next = readMaterial(files)
      if (!isSame(material, next)) context = contextOf(next)
      material = next
      complaint = ''
    } catch (error) {
      if (messageOf(error) !== complaint) log.error({ problem: messageOf(error) }, `the files that ${names} name are not good: the last good ones stay in use`)
      complaint = messageOf(error)
    }
  }
  return {
    // Said, since NODE_TLS_REJECT_UNAUTHORIZED could say otherwise.
    rejectUnauthorized: true,
    get secureContext() {
      refresh()
      return context
    },
  }
}

/** What is wrong with the names of files before any is read. */
export function problemsOf(store: 'DATABASE' | 'REDIS', { certificateFile, keyFile }: StoreFiles): string[] {
  if ((certificateFile === undefined) === (keyFile === undefined)) return []
  const missing = certificateFile === undefined ? 'CERTIFICATE' : 'KEY'
  return [`${store}_${missing}_FILE: is missing, and a certificate goes with its key: ${store}_CERTIFICATE_FILE, ${store}_KEY_FILE`]
}

export const isAnyGiven = ({ caFile, certificateFile, keyFile }: StoreFiles): boolean => [caFile, certificateFile, keyFile].some((file) => file !== undefined)

/** Why a store could not be connected to, in words that say what to look at. */
export function connectionProblem(error: unknown): string {
  const [text, code] = [messageOf(error), error instanceof Error && 'code' in error ? String(error.code) : '']
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is not for the host that was to be reached (${text})`
  if (NOT_VOUCHED_FOR.test(code)) return `its certificate is not trusted: it is not by the CA that was given, or out of date (${text})`
  if (NO_TLS.test(code) || NO_TLS.test(text)) return `it speaks no TLS, and is not spoken to without (${text})`
  return text === '' ? code : text
}

const NOT_VOUCHED_FOR = /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/
const NO_TLS = /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|The server does not support SSL connections)$/

function readMaterial({ caFile, certificateFile, keyFile }: StoreFiles): Material {
  return {
    ca: caFile === undefined ? undefined : readAuthorities(caFile),
    pair: certificateFile === undefined || keyFile === undefined ? undefined : readCertificatePair(certificateFile, keyFile),
  }
}

const contextOf = ({ ca, pair }: Material): SecureContext => createSecureContext({ ca, cert: pair?.certificate, key: pair?.privateKey, minVersion: 'TLSv1.2' })

const isSame = (one: Material, other: Material): boolean =>
  bytesOf(one).every((bytes, index) => bytes.equals(bytesOf(other)[index] ?? Buffer.alloc(0)))

const bytesOf = ({ ca, pair }: Material): Buffer[] => [ca, pair?.certificate, pair?.privateKey].map((bytes) => bytes ?? Buffer.alloc(0))
