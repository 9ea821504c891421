import { describe, expect, it } from 'vitest'
import { lintDocuments, lintText, RULES } from '../../deploy/manifests/lint.js'
import { TARGETS } from '../../deploy/manifests/targets.js'
import { planted } from './plant.js'
import { PLANTED_AROUND_PODS } from './planted-around-pods.js'
import { PLANTED_BESIDE_APPLICATIONS } from './planted-beside-applications.js'
import { PLANTED_IN_PODS } from './planted-in-pods.js'
import { documentsOf, rendererForTests, targetCalled } from './renderings.js'

const PLANTED = [...PLANTED_IN_PODS, ...PLANTED_AROUND_PODS, ...PLANTED_BESIDE_APPLICATIONS]
const renderer = await rendererForTests()

describe.skipIf(!renderer)('what is deployed', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))('%s has no problem', async (_name, target) => {
    expect(lintText(target, (await renderer?.render(target.path)) ?? '')).toEqual([])
  })
})

describe('the rules', () => {
  it('have each a fault below that they find', () => {
    expect([...new Set(PLANTED.map(({ rule }) => rule))].sort()).toEqual(RULES.map(({ name }) => name).sort())
  })
})

describe.skipIf(!renderer)('a planted fault is found by its rule and by no other', () => {
  it.each(PLANTED.map((plant) => [plant.rule, plant.fault, plant] as const))('%s: %s', async (rule, _fault, plant) => {
    const target = plant.target ?? 'production'
    const documents = renderer ? await documentsOf(renderer, target) : []
    const problems = lintDocuments(targetCalled(target), planted(documents, plant))
    expect([...new Set(problems.map((problem) => problem.rule))], JSON.stringify(problems)).toEqual([rule])
  })
})
