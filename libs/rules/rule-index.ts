import type { Attributes, CompiledCondition, Condition } from './condition.js'
import { literalStart } from './glob.js'
import { ANY, type Rule } from './rule.js'
import { isTemplate, type Subject } from './template.js'

// Finds the few rules that can match: by action, by type of resource, and where there are many by how the value of the
// attribute begins that most of them compare. What it takes grows with the rules, however many words they have.

/** What rules are asked about. */
export type Asked = { readonly action: string; readonly resource: string; readonly attributes: Attributes; readonly subject: Subject }

/** A rule, its place in the role, and its conditions. */
type Indexed = { readonly index: number; readonly rule: Rule; readonly compiled: readonly CompiledCondition[] }

/** A rule of more pairs of an action and a type is asked after them by itself. */
const MOST_PAIRS = 16

export class RuleIndex {
  readonly #byAction = new Map<string, Map<string, RuleList>>()
  readonly #wordy: (Indexed & { readonly actions: ReadonlySet<string>; readonly resources: ReadonlySet<string> })[] = []

  /** Rules come in the order of their places. */
  add(indexed: Indexed): void {
    const [actions, resources] = [wordsOf(indexed.rule.actions), wordsOf(indexed.rule.resources)]
    if (actions.size * resources.size > MOST_PAIRS) return void this.#wordy.push({ ...indexed, actions, resources })
    for (const action of actions) for (const resource of resources) this.#listOf(action, resource).add(indexed)
  }

  #listOf(action: string, resource: string): RuleList {
    const byResource = this.#byAction.get(action) ?? new Map<string, RuleList>()
    const list = byResource.get(resource) ?? new RuleList()
    this.#byAction.set(action, byResource.set(resource, list))
    return list
  }

  /** The least place of a rule that matches. */
  first(asked: Asked): number | undefined {
    const least = Math.min(this.#firstWordy(asked), firstIn(this.#byAction.get(asked.action), asked), firstIn(this.#byAction.get(ANY), asked))
    return least === Infinity ? undefined : least
  }

  #firstWordy(asked: Asked): number {
    for (const rule of this.#wordy) {
      if (speaksOf(rule.actions, asked.action) && speaksOf(rule.resources, asked.resource) && isMet(rule, asked)) return rule.index
    }
    return Infinity
  }
}

const firstIn = (byResource: ReadonlyMap<string, RuleList> | undefined, asked: Asked): number =>
  byResource ? Math.min(byResource.get(asked.resource)?.first(asked) ?? Infinity, byResource.get(ANY)?.first(asked) ?? Infinity) : Infinity

const speaksOf = (words: ReadonlySet<string>, word: string): boolean => words.has(word) || words.has(ANY)

/** Fewer are asked one after the other sooner than they are looked up. */
const MANY = 8

class RuleList {
  readonly #all: Indexed[] = []
  #starts: Starts | undefined

  add(indexed: Indexed): void {
    this.#all.push(indexed)
    this.#starts = undefined
  }

  first(asked: Asked): number | undefined {
    if (this.#all.length < MANY) return firstOf(this.#all, asked)
    this.#starts ??= new Starts(this.#all)
    const value = asked.attributes.get(this.#starts.attribute)
    // What is missing matches every deny, and each element of a list begins as it does.
    if (typeof value !== 'string') return firstOf(this.#all, asked)
    const [starting, other] = [firstOf(this.#starts.of(value), asked), firstOf(this.#starts.others, asked)]
    return starting === undefined || other === undefined ? (starting ?? other) : Math.min(starting, other)
  }
}

const NONE: readonly Indexed[] = []
/** A rule of more starts counts among those that say none. */
const MOST_STARTS = 8

/** Rules by the first segment of what they compare one attribute with, beside those that don't say one. */
class Starts {
  readonly attribute: string
  readonly others: Indexed[] = []
  readonly #byStart = new Map<string, Indexed[]>()

  constructor(all: readonly Indexed[]) {
    this.attribute = mostCompared(all)
    for (const indexed of all) {
      const starts = this.#startsOf(indexed)
      if (starts === undefined) this.others.push(indexed)
      for (const start of starts ?? []) {
        const starting = this.#byStart.get(start) ?? []
        starting.push(indexed)
        this.#byStart.set(start, starting)
      }
    }
  }

  #startsOf({ rule }: Indexed): ReadonlySet<string> | undefined {
    const said = rule.conditions.map((condition) => (condition.attribute === this.attribute ? startsIn(condition) : undefined))
    return said.find((starts) => starts !== undefined && starts.size <= MOST_STARTS)
  }

  of(value: string): readonly Indexed[] {
    return this.#byStart.get(firstSegment(value)) ?? NONE
  }
}

function mostCompared(all: readonly Indexed[]): string {
  const counts = new Map<string, number>()
  for (const { rule } of all) {
    for (const attribute of new Set(rule.conditions.filter((condition) => startsIn(condition)).map((condition) => condition.attribute))) {
      counts.set(attribute, (counts.get(attribute) ?? 0) + 1)
    }
  }
  return [...counts].reduce<[string, number]>((most, one) => (one[1] > most[1] ? one : most), ['', 0])[0]
}

/** Up to the second `/`: `/prod` of `/prod/db`. */
function firstSegment(text: string): string {
  const end = text.indexOf('/', 1)
  return end === -1 ? text : text.slice(0, end)
}

/** The first segments that a value can have which meets the condition; undefined where it may have any. */
function startsIn({ operator, values }: Condition): ReadonlySet<string> | undefined {
  if (operator !== 'eq' && operator !== 'in' && operator !== 'glob') return undefined
  const starts = values.map((value) => (typeof value === 'string' && !isTemplate(value) ? (operator === 'glob' ? globStart(value) : firstSegment(value)) : undefined))
  return starts.every((start) => start !== undefined) ? new Set(starts) : undefined
}

function globStart(pattern: string): string | undefined {
  const { text, isWhole } = literalStart(pattern)
  const start = firstSegment(text)
  return isWhole || start.length < text.length ? start : undefined
}

// Loops, since a closure for each question costs more than the question.
function firstOf(rules: readonly Indexed[], asked: Asked): number | undefined {
  for (const rule of rules) if (isMet(rule, asked)) return rule.index
  return undefined
}

function isMet({ compiled }: Indexed, { attributes, subject }: Asked): boolean {
  for (const condition of compiled) if (!condition(attributes, subject)) return false
  return true
}

/** Any is any, whatever stands beside it. */
const wordsOf = (words: readonly string[]): ReadonlySet<string> => new Set(words.includes(ANY) ? [ANY] : words)
