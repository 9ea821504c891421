import { copyFile, cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ScratchDirectory, scratchDirectory } from '../support/scratch-directory.js'
import { ROOT } from './planted-tree.js'
import { type Outcome, runTool } from './run-tool.js'

const PROTO = 'proto/countersign/authorization/v1/authorization_check.proto'

let tree: ScratchDirectory

beforeEach(async () => {
  tree = await scratchDirectory()
  await symlink(join(ROOT, 'node_modules'), join(tree.path, 'node_modules'))
  await copyFile(join(ROOT, 'buf.yaml'), join(tree.path, 'buf.yaml'))
  await cp(join(ROOT, 'proto'), join(tree.path, 'proto'), { recursive: true })
})

afterEach(() => tree.remove())

async function change(from: RegExp, to: string): Promise<void> {
  const path = join(tree.path, PROTO)
  const before = await readFile(path, 'utf8')
  const after = before.replace(from, to)
  expect(after, `${String(from)} is in ${PROTO}`).not.toBe(before)
  await writeFile(path, after)
}

const lint = (): Promise<Outcome> => runTool(tree.path, 'buf', 'lint', 'proto')
const breaking = (): Promise<Outcome> => runTool(tree.path, 'buf', 'breaking', 'proto', '--against', 'proto/published.binpb')

const NOTHING_WRONG: Outcome = { code: 0, output: '' }

describe('buf breaking', () => {
  it('passes what is published', async () => {
    expect(await breaking()).toEqual(NOTHING_WRONG)
  })

  it('passes a new field', async () => {
    await change(/(string action = 3;)/, '$1 string planted = 4711;')
    expect(await breaking()).toEqual(NOTHING_WRONG)
  })

  it.each([
    ['a field with another number', /string action = 3;/, 'string action = 4711;', 'Previously present field "3"'],
    ['a field of another type', /string action = 3;/, 'int64 action = 3;', 'changed type'],
    ['a field of another name', /string action = 3;/, 'string deed = 3;', 'changed name from "action" to "deed"'],
    ['a deleted field', /string action = 3;/, '', 'Previously present field "3"'],
    ['a deleted enum value', /DECISION_REASON_NO_RULE = \d+;/, '', 'Previously present enum value'],
    ['a deleted rpc', / {2}rpc Check\([^\n]*\n/, '', 'Previously present RPC "Check"'],
    ['an rpc with another answer', /returns \(CheckResponse\)/, 'returns (CheckRequest)', 'changed response type'],
  ])('refuses %s', async (_what, from, to, report) => {
    await change(from, to)
    const { code, output } = await breaking()
    expect(output).toContain(report)
    expect(code).toBe(100)
  })
})

describe('buf lint', () => {
  it('passes what is committed', async () => {
    expect(await lint()).toEqual(NOTHING_WRONG)
  })

  it.each([
    ['an rpc without a comment', /(?: {2}\/\/ [^\n]*\n)+( {2}rpc Check\()/, '$1', 'RPC "Check" should have a non-empty comment'],
    ['a service without a comment', /(?:\/\/[^\n]*\n)+service /, 'service ', 'should have a non-empty comment'],
    ['a field that is no lower_snake_case', /string action = 3;/, 'string theAction = 3;', 'should be lower_snake_case'],
    ['a lint rule silenced', /(?: {2}\/\/ [^\n]*\n)+( {2}rpc Check\()/, '  // buf:lint:ignore COMMENT_RPC\n$1', 'should have a non-empty comment'],
  ])('refuses %s', async (_what, from, to, report) => {
    await change(from, to)
    const { code, output } = await lint()
    expect(output).toContain(report)
    expect(code).toBe(100)
  })
})
