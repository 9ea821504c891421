import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { z } from 'zod'

/** Reads a JSON file, or undefined where there is none. What is in it but wrong is said in one line. */
export function readJson<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const parsed = schema.safeParse(jsonOrUndefined(text))
  if (!parsed.success) throw new Error(`${path} is not what was written there. Put the file back as it was, or start anew with another data folder (--data DIR).`)
  return parsed.data
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Writes a JSON file that only its owner can read; at any moment it is there whole or not at all. */
export function writePrivateJson(path: string, value: unknown): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(temporary, path)
}
