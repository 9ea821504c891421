import { lstatSync, readFileSync, rmSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { wrongUsage } from '../failure.js'
import { type Owner, replacePrivateFile } from '../private-file.js'
import { assertGuardedFolder, ownUser } from './guarded-folder.js'
import type { Sink } from './keeper.js'
import { endMillisOf } from './issued-token.js'

export type TokenFile = Sink & { readonly remove: () => void }

/**
 * The token as the whole content of a file, readable by its owner alone, replaced in one step. What another agent left there
 * stays until we have a token, or until it expires: a restart while auth-exchange is down takes nothing away.
 */
export function tokenFile(given: string): TokenFile {
  const path = resolve(given)
  assertGuardedFolder(path)
  const found = existing(path)
  let owner: Owner | undefined = found && ownerOf(found)
  const leftoverEnd = found && endOfLeftover(path)
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
        const isLeftover = shown === undefined && leftoverEnd !== undefined && now.wall < leftoverEnd
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
function endOfLeftover(path: string): number | undefined {
  const text = readText(path).trim()
  const end = endMillisOf(text)
  if (end === undefined && text !== '') throw wrongUsage(`${path} is there and holds no token: it is not replaced. Name another file, or remove this one.`)
  return end
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw wrongUsage(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
