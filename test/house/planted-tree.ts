import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A tree with this house's configuration and packages, and with the given files in place of its own. */
export async function plantTree(files: Readonly<Record<string, string>>): Promise<ScratchDirectory> {
  const tree = await scratchDirectory()
  await symlink(join(ROOT, 'node_modules'), join(tree.path, 'node_modules'))
  for (const name of ['package.json', '.dependency-cruiser.cjs']) await copyFile(join(ROOT, name), join(tree.path, name))
  const tsconfig = JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['**/*.ts'] })
  for (const [name, content] of Object.entries({ 'tsconfig.json': tsconfig, ...files })) {
    const path = join(tree.path, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  return tree
}
