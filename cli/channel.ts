import { readFileSync } from 'node:fs'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { type ChannelCredentials, credentials } from '@grpc/grpc-js'
import { isLoopback } from '#libs/env.js'
import { type Service, serviceNames } from './context.js'
import type { Environment } from './variables.js'
import { wrongUsage } from './failure.js'

// How services are spoken to: in plain text, or by TLS where it is said whose certificates are believed. A certificate of our
// own is shown where there is one; only internal listeners ask for it.

export type Pem = { readonly ca: Buffer; readonly certificate: Buffer | undefined; readonly key: Buffer | undefined }

const [CA, CERTIFICATE, KEY] = ['COUNTERSIGN_CA_FILE', 'COUNTERSIGN_CERTIFICATE_FILE', 'COUNTERSIGN_KEY_FILE'] as const

/** Undefined where the environment names no CA: then nothing is encrypted. */
export function pemFrom(environment: Environment): Pem | undefined {
  const [ca, certificate, key] = [CA, CERTIFICATE, KEY].map((name) => (environment[name] ? contentOf(name, environment[name]) : undefined))
  if ((certificate === undefined) !== (key === undefined)) throw wrongUsage(`${CERTIFICATE} and ${KEY} belong together: set both, or neither.`)
  if (ca !== undefined) return { ca, certificate, key }
  if (certificate !== undefined) throw wrongUsage(`${CERTIFICATE} needs ${CA}, the CA by which services are known.`)
  return undefined
}

function contentOf(name: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw wrongUsage(`${path}, which ${name} names, can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export function channelTo(service: Service, pem: Pem | undefined): ChannelCredentials {
  if (pem === undefined) return credentials.createInsecure()
  try {
    return credentials.createSsl(pem.ca, pem.key ?? null, pem.certificate ?? null, { checkServerIdentity: identityCheck(service) })
  } catch (error) {
    throw wrongUsage(`The files of ${CA}, ${CERTIFICATE} and ${KEY} are not good: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The certificate must name the host that is called; through a tunnel, such as a port-forward, it may name the service instead. */
export const identityCheck = (service: Service) => (host: string, certificate: PeerCertificate): Error | undefined => {
  const failure = checkServerIdentity(host, certificate)
  return failure && isLoopback(host) ? checkServerIdentity(serviceNames[service], certificate) : failure
}
