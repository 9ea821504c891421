import { lstatSync, mkdirSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { wrongUsage } from '../failure.js'

const WRITABLE_BY_OTHERS = 0o022

/**
 * Makes sure that nobody but us and root may put something into the folder of this path, or something else in its place; makes
 * the folder where there is none. Whoever could, would have applications trust a token or a socket of theirs.
 */
export function assertGuardedFolder(path: string): void {
  const folder = dirname(resolve(path))
  // What was made is looked at too: somebody else may have been quicker.
  const stat = lstatSync(folder, { throwIfNoEntry: false }) ?? madeFolder(folder)
  if (stat.isSymbolicLink()) throw wrongUsage(`${folder} is a symbolic link: name the folder that it leads to.`)
  if (!stat.isDirectory()) throw wrongUsage(`${folder} is no folder.`)
  if (stat.uid !== ownUser() && stat.uid !== 0) throw wrongUsage(`${folder} belongs to another user: nothing is put there.`)
  if ((stat.mode & WRITABLE_BY_OTHERS) !== 0) throw wrongUsage(`Others may write in ${folder}: take that away (chmod go-w ${folder}), or name a folder in it that does not exist yet.`)
}

export const ownUser = (): number => process.getuid?.() ?? 0

function madeFolder(folder: string): Stats {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return lstatSync(folder)
  } catch (error) {
    throw wrongUsage(`${folder} can't be made: ${error instanceof Error ? error.message : String(error)}`)
  }
}
