import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { wrongUsage } from './failure.js'
import { isOpenToOthers } from './private-file.js'

/** Says a line to people; to programs the fields with it. */
export type Tell = (line: string, fields?: Readonly<Record<string, unknown>>) => void

/** The text of a file, or of standard input where the file is `-`. */
export async function readText(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw wrongUsage(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The one line of a file that holds a secret; says so where others can read it. */
export async function readSecret(file: string, warn: Tell): Promise<string> {
  const secret = (await readText(file)).trim()
  warnIfOpenToOthers(file, warn)
  if (secret === '') throw wrongUsage(file === '-' ? 'Nothing came on standard input.' : `${file} is empty.`)
  return secret
}

export function warnIfOpenToOthers(file: string, warn: Tell): void {
  if (file !== '-' && isOpenToOthers(file)) warn(`warning: others on this machine may read ${file}: chmod 600 ${file}`)
}
