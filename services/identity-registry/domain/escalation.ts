import { type Budget, wholeBudget } from '#libs/rules/budget.js'
import { compileRules } from '#libs/rules/compile.js'
import { covers, coversDeny, coversOwn, coversOwnDeny, isDisjoint } from '#libs/rules/cover.js'
import type { MissingRule, Obstacle } from '#libs/rules/missing-rule.js'
import type { Rule } from '#libs/rules/rule.js'
import type { Subject } from '#libs/rules/template.js'

// The escalation guard: nobody gives away what they do not hold. It proves that one rule covers one rule, which is sound and
// can be explained; what it can't prove is refused. A placeholder of whoever gives is worth nothing here, and one of whoever
// gets may become anything (libs/rules/cover.ts).

/** A rule of a role that somebody holds, from `startTime` until just before `endTime`; null for ever. */
export type HeldRule = { readonly role: string; readonly rule: Rule; readonly startTime: Date | null; readonly endTime: Date | null }

/** What those whom a change touches hold in one scope. */
export type Holdings = {
  /** What all of them hold. */
  readonly held: readonly HeldRule[]
  /** What some of them hold beside it: nothing new to them, and all of it may come to light when a deny goes. */
  readonly besides: readonly HeldRule[]
}

export const NOTHING: Holdings = { held: [], besides: [] }

type Change = {
  readonly granter: readonly HeldRule[]
  readonly before: Holdings
  readonly after: Holdings
  /** Whether they have another name afterwards: a rule that speaks of it is then not what it was. */
  readonly renamed: boolean
  readonly now: Date
}

type Missing = Omit<MissingRule, 'projectId'>

/** Many scopes share one; what is not proven when it is spent is refused. */
export const budgetForAll = wholeBudget

/** What the change gives, and whoever makes it does not hold; nothing where the change is fine. */
export function missingRules({ granter, before, after, renamed, now }: Change, budget: Budget = wholeBudget()): Missing[] {
  const isWhatItWas = ({ rule }: Spell) => !renamed || !speaksOfTheName(rule)
  const kept = denies(after.held, now)
  const isKept = (deny: Spell) => isWhatItWas(deny) && kept.some((other) => isWithin(deny, other) && coversOwnDeny(other.rule, deny.rule, budget))
  const lost = denies(before.held, now).filter((deny) => !isKept(deny))
  const comesToLight = (given: Spell) => lost.some((deny) => overlap(given, deny) && !isDisjoint(given.rule, deny.rule, budget))
  const old = sameFirst(allows(before.held, now).filter(isWhatItWas))
  const isNew = (given: Spell) => !old(given).some((other) => isWithin(given, other) && coversOwn(other.rule, given.rule, budget))
  const given = [...allows(after.held, now).filter((one) => isNew(one) || comesToLight(one)), ...allows(after.besides, now).filter(comesToLight)]
  const giver = { allows: sameFirst(allows(granter, now)), denies: denies(granter, now), budget }
  return given.flatMap((one) => {
    const obstacle = obstacleTo(one, giver, kept)
    return obstacle === undefined ? [] : [{ ...one.of, obstacle }]
  })
}

/** A held rule and what is left of its time, in milliseconds since 1970. */
type Spell = { readonly rule: Rule; readonly of: HeldRule; readonly start: number; readonly end: number }

type Giver = { readonly allows: (given: Spell) => readonly Spell[]; readonly denies: readonly Spell[]; readonly budget: Budget }

function obstacleTo(given: Spell, giver: Giver, recipientDenies: readonly Spell[]): Obstacle | undefined {
  const isCovered = (own: Spell) => covers(own.rule, given.rule, giver.budget)
  const [forSoLong, shorter] = [giver.allows(given).filter((own) => isWithin(given, own)), giver.allows(given).filter((own) => !isWithin(given, own))]
  if (!forSoLong.some(isCovered)) return shorter.some(isCovered) ? 'not-for-so-long' : 'not-held'
  const inTheWay = giver.denies.filter((own) => overlap(given, own) && !isDisjoint(given.rule, own.rule, giver.budget))
  const isDeniedThereToo = (own: Spell) => recipientDenies.some((deny) => isWithin(common(given, own), deny) && coversDeny(deny.rule, own.rule, giver.budget))
  return inTheWay.every(isDeniedThereToo) ? undefined : 'denied'
}

/** All of them for a rule, and those that say the very same first: mostly the proof ends with them. */
function sameFirst(spells: readonly Spell[]): (given: Spell) => readonly Spell[] {
  const byRule = new Map<string, Spell[]>()
  for (const spell of spells) {
    const key = JSON.stringify(spell.rule)
    byRule.set(key, [...(byRule.get(key) ?? []), spell])
  }
  return ({ rule }) => {
    const same = byRule.get(JSON.stringify(rule))
    return same ? [...same, ...spells] : spells
  }
}

const isWithin = (inner: Pick<Spell, 'start' | 'end'>, outer: Spell): boolean => outer.start <= inner.start && inner.end <= outer.end

const overlap = (one: Spell, other: Spell): boolean => one.start < other.end && other.start < one.end

const common = (one: Spell, other: Spell) => ({ start: Math.max(one.start, other.start), end: Math.min(one.end, other.end) })

/** What is over is out; what began before is as if it began now. */
function spells(held: readonly HeldRule[], now: Date): Spell[] {
  const at = now.getTime()
  return held
    .map((of) => ({ of, rule: of.rule, start: Math.max(at, of.startTime?.getTime() ?? at), end: of.endTime?.getTime() ?? Infinity }))
    .filter(({ start, end }) => start < end)
}

const allows = (held: readonly HeldRule[], now: Date): Spell[] => spells(held, now).filter(({ rule }) => rule.effect === 'allow')

const denies = (held: readonly HeldRule[], now: Date): Spell[] => spells(held, now).filter(({ rule }) => rule.effect === 'deny')

/** What the action `grant` is asked on. */
export type Granted = { readonly resource: string; readonly attributes: Readonly<Record<string, string>> }

/** Whether somebody may give what they do not hold: has the action `grant` at this moment. */
export function mayGrant(held: readonly HeldRule[], { granted, subject, now }: { granted: Granted; subject: Subject; now: Date }): boolean {
  const current = spells(held, now).filter(({ start }) => start <= now.getTime())
  const rules = compileRules(current.map(({ rule }) => rule))
  const asked = { action: 'grant', resource: granted.resource, attributes: new Map(Object.entries(granted.attributes)), subject }
  return rules.first('deny', asked) === undefined && rules.first('allow', asked) !== undefined
}

const NAME = /\{\{\s*identity\.name\s*\}\}/

const speaksOfTheName = ({ conditions }: Rule): boolean => conditions.some(({ values }) => values.some((value) => typeof value === 'string' && NAME.test(value)))
