import { execFile } from 'node:child_process'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type Files = { readonly certificateFile: string; readonly keyFile: string; readonly caFile: string }

/** A CA of a test's own, made by openssl, in a folder of the test's own. */
export type CertificateAuthority = {
  readonly caFile: string
  /** A new key and a certificate for these names, such as `DNS:localhost`, in files of this name. */
  issue(name: string, names: readonly string[]): Promise<Files>
}

export async function certificateAuthority(folder: string, name = 'ca'): Promise<CertificateAuthority> {
  const at = (file: string) => join(folder, file)
  const [caKey, caFile] = [at(`${name}.key`), at(`${name}.pem`)]
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await run('openssl', ['req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', caKey, '-out', caFile])
  return {
    caFile,
    issue: async (of, names) => {
      const [keyFile, request, certificateFile, extensions] = [at(`${of}.key`), at(`${of}.csr`), at(`${of}.pem`), at(`${of}.ext`)]
      await writeFile(extensions, `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      await run('openssl', ['req', '-new', ...newKey, '-subj', `/CN=${of}`, '-keyout', keyFile, '-out', request])
      await run('openssl', ['x509', '-req', '-in', request, '-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '1', '-extfile', extensions, '-out', certificateFile])
      return { certificateFile, keyFile, caFile }
    },
  }
}

/** Puts a pair in the place of another, as whoever renews certificates does. */
export async function replace(files: Files, by: Files): Promise<void> {
  await copyFile(by.certificateFile, files.certificateFile)
  await copyFile(by.keyFile, files.keyFile)
}

export const variablesOf = ({ certificateFile, keyFile, caFile }: Files) => ({ TLS_CERTIFICATE_FILE: certificateFile, TLS_KEY_FILE: keyFile, TLS_CA_FILE: caFile })
