import type { experimental } from '@grpc/grpc-js'
import { ConfigError } from './env.js'
import { every } from './lifecycle.js'
import type { Log } from './log.js'
import { type CertificatePair, readAuthorities, readCertificatePair } from './pem.js'

// The certificate of a service and the CA that it trusts, from files, which are replaced while it runs: by cert-manager, by
// kubelet, by hand. What is read is used only once it is whole; until then the last good pair is. (grpc-js's own watcher hands
// on whatever is in the files, so that a half-written one breaks every handshake.)

export type CertificateFiles = { readonly certificateFile: string; readonly keyFile: string; readonly caFile: string }

export type Certificates = {
  /** For grpc-js, which is told of every good change. */
  readonly provider: experimental.CertificateProvider
  /** When the certificate in use expires. */
  expireTime(): Date
  /** Looks whether the files have changed; what is wrong with them is logged once. */
  refresh(): void
  close(): Promise<void>
}

type Material = CertificatePair & { readonly caCertificate: Buffer }

const REFRESH_MILLIS = 2_000

type CaListener = Parameters<experimental.CertificateProvider['addCaCertificateListener']>[0]
type IdentityListener = Parameters<experimental.CertificateProvider['addIdentityCertificateListener']>[0]

/** Reads the files, which must be good by now, and goes on looking at them. */
export function openCertificates(files: CertificateFiles, log: Log): Certificates {
  let current = firstMaterial(files)
  let complaint = ''
  const caListeners = new Set<CaListener>()
  const identityListeners = new Set<IdentityListener>()
  const refresh = () => {
    try {
      const next = readMaterial(files)
      complaint = ''
      if (isSame(current, next)) return
      current = next
      for (const listener of caListeners) listener(current)
      for (const listener of identityListeners) listener(current)
      log.info({ expire_time: current.expireTime.toISOString() }, 'the certificate was replaced')
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      if (text !== complaint) log.error({ problem: text }, 'the files of the certificate are not good: the last good ones stay in use')
      complaint = text
    }
  }
  // Not at once: grpc-js begins to heed what it is told only when it has finished asking (1.14.7).
  const soon = <Listener extends (material: Material) => void>(listeners: Set<Listener>, listener: Listener) => {
    listeners.add(listener)
    queueMicrotask(() => {
      if (listeners.has(listener)) listener(current)
    })
  }
  const stop = every(REFRESH_MILLIS, () => Promise.resolve(refresh()), (error) => log.error({ err: error }, 'looking at the certificate failed'))
  return {
    provider: {
      addCaCertificateListener: (listener) => soon(caListeners, listener),
      removeCaCertificateListener: (listener) => void caListeners.delete(listener),
      addIdentityCertificateListener: (listener) => soon(identityListeners, listener),
      removeIdentityCertificateListener: (listener) => void identityListeners.delete(listener),
    },
    expireTime: () => current.expireTime,
    refresh,
    close: stop,
  }
}

function firstMaterial(files: CertificateFiles): Material {
  try {
    return readMaterial(files)
  } catch (error) {
    throw new ConfigError([`TLS_CERTIFICATE_FILE, TLS_KEY_FILE, TLS_CA_FILE: ${error instanceof Error ? error.message : String(error)}`])
  }
}

const readMaterial = ({ certificateFile, keyFile, caFile }: CertificateFiles): Material => ({
  ...readCertificatePair(certificateFile, keyFile),
  caCertificate: readAuthorities(caFile),
})

const isSame = (one: Material, other: Material): boolean =>
  one.certificate.equals(other.certificate) && one.privateKey.equals(other.privateKey) && one.caCertificate.equals(other.caCertificate)
