import { relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ScratchDirectory } from '../support/scratch-directory.js'
import { PERMITTED, PLANTED } from './planted-bans.js'
import { plantTree, ROOT } from './planted-tree.js'
import { runTool } from './run-tool.js'

const reports = z.array(z.object({ filePath: z.string(), messages: z.array(z.object({ ruleId: z.string().nullable(), message: z.string() })) }))

let tree: ScratchDirectory
let code: number
/** What is wrong with each file, by its path in the tree. */
let found: ReadonlyMap<string, string[]>

beforeAll(async () => {
  tree = await plantTree(Object.fromEntries([...PLANTED, ...PERMITTED].map(({ file, source }) => [file, source])))
  const outcome = await runTool(tree.path, 'eslint', '--config', `${ROOT}eslint.config.js`, '--format', 'json', '.')
  code = outcome.code
  const linted = reports.parse(JSON.parse(outcome.output))
  found = new Map(
    linted.map(({ filePath, messages }) => [relative(tree.path, filePath), messages.map(({ ruleId, message }) => `${ruleId ?? 'none'}: ${message}`)]),
  )
})

afterAll(() => tree.remove())

describe('lint', () => {
  it.each(PLANTED.map(({ file, ban, report }) => [ban, file, report] as const))('refuses %s (%s)', (_ban, file, report) => {
    expect([...new Set(found.get(file))]).toEqual([expect.stringContaining(report)])
  })

  it.each(PERMITTED.map(({ file, why }) => [why, file] as const))('permits %s (%s)', (_why, file) => {
    expect(found.get(file)).toEqual([])
  })

  it('fails the command', () => {
    expect(code).toBe(1)
  })
})
