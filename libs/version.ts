import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'

const manifest = z.object({ version: z.string() })

/** Of this product, as package.json says it. */
export function productVersion(): string {
  // From libs/ and from dist/libs/.
  const [file] = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url)).filter((url) => existsSync(url))
  return file ? manifest.parse(JSON.parse(readFileSync(file, 'utf8'))).version : 'unknown'
}
