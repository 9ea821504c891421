import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fchownSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { wrongUsage } from './failure.js'

const OWNER_ONLY = 0o600
const OTHERS = 0o077

export type Owner = { readonly uid: number; readonly gid: number }

/** Replaces a file by one that only its owner can read: at any moment it is there whole, the old one or the new one. */
export function replacePrivateFile(path: string, text: string, owner?: Owner): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = temporaryBeside(path)
  try {
    writePrivately(openSync(temporary, 'wx', OWNER_ONLY), text, owner)
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** A place for a file that does not exist yet. */
export type Reservation = {
  /** Makes the file, whole or not at all; it never replaces another. */
  write(text: string): void
  /** To be called in the end, written or not. */
  release(): void
}

/** Proves that the file can be made before anything is made that belongs into it. */
export function reservePrivateFile(path: string): Reservation {
  if (existsSync(path)) throw existing(path)
  const temporary = temporaryBeside(path)
  closeSync(opened(temporary, path))
  return {
    write: (text) => {
      writePrivately(openSync(temporary, 'w'), text)
      // Unlike a rename, a link fails where somebody made the file in the meantime.
      linkSync(temporary, path)
    },
    release: () => rmSync(temporary, { force: true }),
  }
}

function opened(temporary: string, path: string): number {
  try {
    return openSync(temporary, 'wx', OWNER_ONLY)
  } catch (error) {
    throw wrongUsage(`${path} can't be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function writePrivately(file: number, text: string, owner?: Owner): void {
  try {
    // The owner first: what is in it is not for whoever makes the file.
    if (owner) fchownSync(file, owner.uid, owner.gid)
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const temporaryBeside = (path: string): string => join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)

const existing = (path: string) => wrongUsage(`${path} exists already: it is not overwritten. Name another file, or remove this one.`)

/** Whether anybody but its owner may do something to the file. */
export const isOpenToOthers = (path: string): boolean => (statSync(path).mode & OTHERS) !== 0
