import type { Attributes, CompiledCondition, Condition } from './condition.js'
import { literalStart } from './glob.js'
import { ANY, type Rule } from './rule.js'
import { isTemplate, type Subject } from './template.js'

// Finds the few rules that can match: by action, by type of resource, and where there are many by how the value of the
// attribute begins that most of them compare.

/** What rules are asked about. */
export type Asked = { readonly action: string; readonly resource: string; readonly attributes: Attributes; readonly subject: Subject }

/** A rule, its place in the role, and its conditions. */
type Indexed = { readonly index: number; readonly rule: Rule; readonly compiled: readonly CompiledCondition[] }

export class RuleIndex {
  readonly #byAction = new Map<string, Map<string, RuleList>>()

  /** Rules come in the order of their places. */
  add(action: string, resource: string, indexed: Indexed): void {
    const byResource = this.#byAction.get(action) ?? new Map<string, RuleList>()
    const list = byResource.get(resource) ?? new RuleList()
    list.add(indexed)
    this.#byAction.set(action, byResource.set(resource, list))
  }

  /** The least place of a rule that matches. */
  first(asked: Asked): number | undefined {
    let least = Infinity
    for (const byResource of [this.#byAction.get(asked.action), this.#byAction.get(ANY)]) {
      if (!byResource) continue
      least = Math.min(least, byResource.get(asked.resource)?.first(asked) ?? Infinity, byResource.get(ANY)?.first(asked) ?? Infinity)
    }
    return least === Infinity ? undefined : least
  }
}

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
    return firstOf(this.#starts.candidates(value), asked)
  }
}

const NONE: readonly Indexed[] = []

/** Rules by the first segment of what they compare one attribute with, beside those that don't say one. */
class Starts {
  readonly attribute: string
  readonly #byStart = new Map<string, Indexed[]>()
  readonly #others: Indexed[]

  constructor(all: readonly Indexed[]) {
    this.attribute = mostCompared(all)
    const startsOf = ({ rule }: Indexed) => rule.conditions.map((condition) => (condition.attribute === this.attribute ? startsIn(condition) : undefined)).find((starts) => starts !== undefined)
    this.#others = all.filter((indexed) => startsOf(indexed) === undefined)
    for (const start of new Set(all.flatMap((indexed) => startsOf(indexed) ?? []))) {
      this.#byStart.set(start, all.filter((indexed) => startsOf(indexed)?.includes(start) ?? true))
    }
  }

  /** In the order of their places, those that say nothing of the start among them. */
  candidates(value: string): readonly Indexed[] {
    return this.#byStart.get(firstSegment(value)) ?? (this.#others.length > 0 ? this.#others : NONE)
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
function startsIn({ operator, values }: Condition): string[] | undefined {
  if (operator !== 'eq' && operator !== 'in' && operator !== 'glob') return undefined
  const starts = values.map((value) => (typeof value === 'string' && !isTemplate(value) ? (operator === 'glob' ? globStart(value) : firstSegment(value)) : undefined))
  return starts.every((start) => start !== undefined) ? starts : undefined
}

function globStart(pattern: string): string | undefined {
  const { text, isWhole } = literalStart(pattern)
  const start = firstSegment(text)
  return isWhole || start.length < text.length ? start : undefined
}

function firstOf(rules: readonly Indexed[], { attributes, subject }: Asked): number | undefined {
  return rules.find(({ compiled }) => compiled.every((condition) => condition(attributes, subject)))?.index
}
