import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lintManifests } from '../../deploy/manifests/lint-manifests.js'
import { findRenderer } from '../../deploy/manifests/render.js'
import { TARGETS } from '../../deploy/manifests/targets.js'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'

let scratch: ScratchDirectory
let lines: string[]
const say = (line: string) => void lines.push(line)

beforeEach(async () => {
  scratch = await scratchDirectory()
  lines = []
})
afterEach(() => scratch.remove())

/** A program that does what it is told to; the arguments are in $*. */
async function program(name: string, script: string): Promise<string> {
  const folder = join(scratch.path, `with-${name}`)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
  await chmod(join(folder, name), 0o755)
  return folder
}

describe('npm run lint:manifests', () => {
  it('prints a line for each problem, and how many there are', async () => {
    const text = 'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\nautomount: true\n'
    expect(await lintManifests({ name: 'a renderer', render: () => Promise.resolve(text) }, true, say)).toBe(1)
    expect(lines[0]).toBe('base  ServiceAccount/a  schema  automount is not a field that Kubernetes knows')
    expect(lines.at(-1)).toBe(`${TARGETS.length} problems in ${TARGETS.length} renderings by a renderer`)
  })

  it('says why it does nothing where nothing renders, which CI does not accept', async () => {
    expect(await lintManifests(undefined, false, say)).toBe(0)
    expect(await lintManifests(undefined, true, say)).toBe(1)
    expect(lines).toEqual([expect.stringContaining('not linted: there is no kubectl'), expect.stringContaining('which CI does not accept')])
  })
})

describe('what renders', () => {
  it('is kubectl where it is on the PATH, and its complaint is the error', async () => {
    const PATH = `/nowhere:${await program('kubectl', 'echo "$1"; case "$2" in *broken) echo no such folder >&2; exit 1;; *old) echo "# Warning: deprecated" >&2;; esac')}`
    const renderer = await findRenderer({ PATH }, say, scratch.path)
    expect(renderer?.name).toBe('kubectl kustomize')
    expect(await renderer?.render('good')).toBe('kustomize\n')
    await expect(renderer?.render('broken')).rejects.toThrow('no such folder')
    await expect(renderer?.render('old')).rejects.toThrow('deprecated')
  })

  it('is a kustomize that Go builds, once', async () => {
    const PATH = await program('go', 'printf "#!/bin/sh\\necho built by go $*\\n" > "$GOBIN/kustomize"; /bin/chmod 755 "$GOBIN/kustomize"')
    const renderer = await findRenderer({ PATH }, say, scratch.path)
    expect(renderer?.name).toMatch(/^kustomize v5\.\d+\.\d+$/)
    expect(await renderer?.render('good')).toMatch(/^built by go install sigs\.k8s\.io\/kustomize\/kustomize\/v5@v5\.\d+\.\d+\n$/)
    expect((await findRenderer({ PATH: '/nowhere' }, say, scratch.path))?.name).toBe(renderer?.name)
    expect(lines).toHaveLength(1)
  })

  it('is nothing where there is neither, or where Go can not build', async () => {
    expect(await findRenderer({ PATH: '/nowhere' }, say, scratch.path)).toBeUndefined()
    expect(await findRenderer({ PATH: await program('go', 'echo no network >&2; exit 1') }, say, scratch.path)).toBeUndefined()
    expect(lines.at(-1)).toBe('kustomize could not be built: no network')
  })
})
