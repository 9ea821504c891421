import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../../deploy/manifests/targets.js'
import type { Tree } from '../support/processes.js'
import { scratchDirectory } from '../support/scratch-directory.js'

// The release before, built as it was: what runs beside the new one while it is rolled out. CHANGELOG.md alone says which.

export type Release = { readonly version: string; readonly commit: string }

const CACHE = join(ROOT, 'node_modules/.cache/countersign-release')

const run = promisify(execFile)

/** The newest section of the form `## 1.2.3 (commit HASH)`. */
export function lastRelease(changelog: string): Release {
  const [, version, commit] = /^## (\d+\.\d+\.\d+) \(commit ([0-9a-f]{40})\)$/m.exec(changelog) ?? []
  if (version === undefined || commit === undefined) throw new Error('CHANGELOG.md names no release: a section `## 1.2.3 (commit HASH)` with all 40 digits is missing.')
  return { version, commit }
}

/** Its programs under `dist/`, built at most once for each commit. */
export async function releasedTree(): Promise<Tree> {
  const { version, commit } = lastRelease(await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8'))
  const directory = join(CACHE, commit)
  if (!existsSync(directory)) await build({ version, commit }, directory)
  return { directory, node: process.execPath, user: {} }
}

async function build(release: Release, into: string): Promise<void> {
  const scratch = await scratchDirectory()
  const source = join(scratch.path, 'source')
  try {
    await mkdir(source)
    await unpackCommit(release, source)
    const isAsHere = (await Promise.all([ROOT, source].map((tree) => readFile(join(tree, 'package-lock.json'), 'utf8')))).every((lock, _place, [first]) => lock === first)
    if (isAsHere) await symlink(join(ROOT, 'node_modules'), join(source, 'node_modules'))
    else await run('npm', ['ci', '--ignore-scripts', '--prefer-offline'], { cwd: source })
    await run(process.execPath, ['proto/generate.mjs'], { cwd: source })
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { cwd: source })
    if (!isAsHere) await run('npm', ['prune', '--omit=dev', '--ignore-scripts'], { cwd: source })
    await keep(source, into, ['package.json', 'dist', ...(isAsHere ? [] : ['node_modules'])])
  } finally {
    await scratch.remove()
  }
}

/** From this clone; a shallow one asks where it came from for the commit. */
export async function unpackCommit({ version, commit }: Release, into: string, clone = ROOT): Promise<void> {
  const archive = join(into, 'source.tar')
  const git = (...words: string[]) => run('git', words, { cwd: clone, timeout: 60_000 })
  try {
    const isHere = await git('cat-file', '-e', `${commit}^{commit}`).then(() => true, () => false)
    if (!isHere) await git('fetch', '--quiet', '--depth=1', 'origin', commit)
    await git('archive', '--output', archive, commit)
  } catch (error) {
    throw new Error(`The release ${version} is tried against this tree, and its commit ${commit} is not in this clone: git fetch --unshallow (or fetch that commit).`, { cause: error })
  }
  await run('tar', ['-xf', archive, '-C', into])
  await rm(archive)
}

/** It is there as a whole or not at all, also for others who build it at the same time. */
async function keep(source: string, into: string, names: readonly string[]): Promise<void> {
  const unfinished = `${into}.${process.pid}`
  await mkdir(unfinished, { recursive: true })
  for (const name of names) await cp(join(source, name), join(unfinished, name), { recursive: true, verbatimSymlinks: true })
  await rename(unfinished, into).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true })
    if (!existsSync(into)) throw error
  })
}
