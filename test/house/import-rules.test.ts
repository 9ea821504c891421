import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ScratchDirectory } from '../support/scratch-directory.js'
import { CLEAN, contentOf, ORPHANS, PLANTS, plantedTree, targetOf, type Tree } from './planted-imports.js'
import { plantTree, ROOT } from './planted-tree.js'
import { type Outcome, runTool } from './run-tool.js'

const trees: ScratchDirectory[] = []

async function cruise(tree: Tree): Promise<Outcome> {
  const directory = await plantTree(Object.fromEntries(Object.entries(tree).map(([file, imports]) => [file, contentOf(imports)])))
  trees.push(directory)
  return runTool(directory.path, 'depcruise', '.')
}

/** `RULE: FROM → TO` for each violation; `RULE: FILE` where it is about one file. */
const violationsIn = ({ output }: Outcome): string[] => [...output.matchAll(/^ {2}error (\S+: \S+(?: → \S+)?)/gm)].map((match) => match[1] ?? '')

afterAll(() => Promise.all(trees.map((tree) => tree.remove())))

describe('import rules', () => {
  let found: Outcome
  beforeAll(async () => {
    found = await cruise(plantedTree())
  })

  it('pass a tree that only does what is allowed', async () => {
    const { code, output } = await cruise(CLEAN)
    expect(output).toContain('no dependency violations found')
    expect(code).toBe(0)
  })

  it.each(PLANTS.map(({ rule, from, imports }) => [rule, from, imports] as const))('%s: %s must not import %s', (rule, from, imports) => {
    const target = targetOf(from, imports)
    const violations = violationsIn(found).filter((violation) => violation.includes(` ${from}`))
    expect(violations).toHaveLength(1)
    expect(violations[0]).toMatch(`${rule}: ${from} → ${target ?? ''}`)
  })

  it('no-cycles: two files must not import each other, not even types', () => {
    expect(violationsIn(found).filter((violation) => /planted-(hen|egg)/.test(violation))).toEqual([expect.stringMatching(/^no-cycles: /)])
  })

  it.each(ORPHANS)('no-orphans: %s must be imported by more than its test', (file) => {
    expect(violationsIn(found).filter((violation) => violation.includes(file))).toEqual([`no-orphans: ${file}`])
  })

  it('fail the command, and report what was planted and nothing else', () => {
    expect(violationsIn(found)).toHaveLength(PLANTS.length + 1 + ORPHANS.length)
    expect(found.code).toBeGreaterThan(0)
  })

  it('are each planted here', () => {
    const configuration: unknown = createRequire(import.meta.url)(`${ROOT}.dependency-cruiser.cjs`)
    const { forbidden } = z.object({ forbidden: z.array(z.object({ name: z.string() })) }).parse(configuration)
    expect(new Set(forbidden.map(({ name }) => name))).toEqual(new Set([...PLANTS.map(({ rule }) => rule), 'no-cycles', 'no-orphans']))
  })
})
