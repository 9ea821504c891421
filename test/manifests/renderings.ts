import { findRenderer, type Renderer } from '../../deploy/manifests/render.js'
import { parseStrictly } from '../../deploy/manifests/strict-yaml.js'
import { type Target, TARGETS } from '../../deploy/manifests/targets.js'

export type TargetName = 'base' | 'production' | 'development' | 'sidecar-example' | 'istio' | `with ${string}`

/** What renders here; where nothing does the tests that need it are skipped, but not in CI. */
export async function rendererForTests(): Promise<Renderer | undefined> {
  const renderer = await findRenderer(process.env, (line) => void process.stderr.write(`${line}\n`))
  const isCi = process.env['CI'] !== undefined && process.env['CI'] !== ''
  if (!renderer && isCi) throw new Error('CI needs kubectl, or Go to build kustomize with')
  if (!renderer) process.stderr.write('The manifests are not tested: there is no kubectl, and no Go to build kustomize with.\n')
  return renderer
}

export function targetCalled(name: string): Target {
  const target = TARGETS.find((one) => one.name === name)
  if (!target) throw new Error(`there is no target ${name}`)
  return target
}

const rendered = new Map<string, Promise<readonly unknown[]>>()

/** The documents of a target, which is rendered once. */
export function documentsOf(renderer: Renderer, name: string): Promise<readonly unknown[]> {
  const known = rendered.get(name) ?? renderer.render(targetCalled(name).path).then((text) => parseStrictly(text).documents)
  rendered.set(name, known)
  return known
}
