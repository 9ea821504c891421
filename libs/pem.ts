import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

// Certificates and keys from files that somebody replaces while they are read: what is not whole is an error.

export type CertificatePair = { readonly certificate: Buffer; readonly privateKey: Buffer; readonly expireTime: Date }

/** A certificate and the key that is its own. */
export function readCertificatePair(certificateFile: string, keyFile: string): CertificatePair {
  const [certificate, privateKey] = [read('certificate', certificateFile), read('key', keyFile)]
  const leaf = parsed('certificate', () => new X509Certificate(certificate))
  const key = parsed('key', () => createPrivateKey(privateKey))
  if (!leaf.checkPrivateKey(key)) throw new Error('the key is not that of the certificate')
  return { certificate, privateKey, expireTime: new Date(leaf.validTo) }
}

/** The certificates of one CA or several: a bundle is as good as each in it. */
export function readAuthorities(caFile: string): Buffer {
  const bundle = read('CA', caFile)
  for (const block of blocksOf(bundle)) parsed('CA', () => new X509Certificate(block))
  return bundle
}

function read(what: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    throw new Error(`the file of the ${what} can't be read`)
  }
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch {
    throw new Error(`the file of the ${what} holds no whole one in PEM`)
  }
}

const END = '-----END CERTIFICATE-----'

function blocksOf(bundle: Buffer): string[] {
  const blocks = bundle.toString().split(END).map((block) => `${block}${END}`)
  return blocks.length > 1 && (blocks.at(-1) ?? '').trim() === END ? blocks.slice(0, -1) : blocks
}
