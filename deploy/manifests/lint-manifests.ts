import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lintText, type Problem } from './lint.js'
import type { Renderer } from './render.js'
import { parseStrictly } from './strict-yaml.js'
import { ROOT, TARGETS } from './targets.js'

const FOLDERS = ['deploy/kubernetes', 'deploy/istio', 'deploy/manifests/fixtures']

/** What kustomize reads may have faults that are not to be seen in what it makes of it. */
function problemsOfFiles(): Problem[] {
  return FOLDERS.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => parseStrictly(readFileSync(join(ROOT, name), 'utf8')).problems.map((message) => ({ target: name, object: '-', rule: 'yaml', message })))
}

/** Prints a line for each problem, and how many there are; the answer is what to exit with. */
export async function lintManifests(renderer: Renderer | undefined, isCi: boolean, say: (line: string) => void): Promise<number> {
  if (!renderer) {
    say(`The manifests are not linted${isCi ? ', which CI does not accept' : ''}: there is no kubectl, and no Go to build kustomize with.`)
    return isCi ? 1 : 0
  }
  const problems = problemsOfFiles()
  for (const target of TARGETS) problems.push(...lintText(target, await renderer.render(target.path)))
  for (const { target, object, rule, message } of problems) say(`${target}  ${object}  ${rule}  ${message}`)
  say(`${problems.length} problem${problems.length === 1 ? '' : 's'} in ${TARGETS.length} renderings by ${renderer.name}`)
  return problems.length > 0 ? 1 : 0
}
