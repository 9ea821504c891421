import { lstatSync, readFileSync, rmSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { wrongUsage } from '../failure.js'
import { type Owner, replacePrivateFile } from '../private-file.js'
import { assertGuardedFolder, ownUser } from './guarded-folder.js'
import type { Sink } from './keeper.js'
import { endMillisOf } from './issued-token.js'

export type TokenFile = Sink & {
  readonly remove: () => void
  /** What was there before us. */
  readonly leftover: string | undefined
}

/**
 * The token as the whole content of a file, readable by its owner alone, replaced in one step. What another agent left there
 * stays until we have a token, or until it expires: a restart while auth-exchange is down takes nothing away.
 */
export function tokenFile(given: string): TokenFile {
  const path = resolve(given)
  assertGuardedFolder(path)
  const found = existing(path)
  let owner: Owner | undefined = found && ownerOf(found)
  const leftover = found && leftoverOf(path)
  const leftoverEnd = leftover && endMillisOf(leftover)
  let shown: string | undefined
  const remove = () => {
    assertGuardedFolder(path)
    if (existing(path)) rmSync(path, { force: true })
    shown = undefined
  }
  return {
    name: path,
    show: (token, now) => {
      if (token === undefined) {
        const isLeftover = shown === undefined && typeof leftoverEnd === 'number' && now.wall < leftoverEnd
        if (!isLeftover) remove()
        return
      }
      const there = existing(path)
      if (there && shown === token.accessToken) return
      assertGuardedFolder(path)
      if (there) owner = ownerOf(there)
      replacePrivateFile(path, token.accessToken, owner)
      shown = token.accessToken
    },
    remove,
    leftover: leftover || undefined,
  }
}

/** Throws where something is there that is not ours to replace. */
function existing(path: string): Stats | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (stat.isSymbolicLink()) throw wrongUsage(`${path} is a symbolic link: name the file itself.`)
  if (!stat.isFile()) throw wrongUsage(`${path} is there and no plain file: it is not replaced.`)
  if (ownUser() !== 0 && stat.uid !== ownUser()) throw wrongUsage(`${path} belongs to another user: it is not replaced.`)
  return stat
}

/** Root writes for somebody else where the file was theirs; nobody else can give a file away. */
const ownerOf = ({ uid, gid }: Stats): Owner | undefined => (ownUser() === 0 ? { uid, gid } : undefined)

/** An empty file was made for us to have its owner; anything else that is no token is somebody's. */
function leftoverOf(path: string): string {
  const text = readText(path).trim()
  if (endMillisOf(text) === undefined && text !== '') throw wrongUsage(`${path} is there and holds no token: it is not replaced. Name another file, or remove this one.`)
  return text
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw wrongUsage(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
