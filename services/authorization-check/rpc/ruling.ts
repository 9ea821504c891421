import { changesTooFast } from '#libs/freshness/read-through.js'
import type { Consistency } from '#libs/freshness/consistency.js'
import type { Outgoing } from '#libs/rpc/client.js'
import { assertLive, decide, type Decision, type Evidence } from '../domain/decide.js'
import type { Question } from '../domain/question.js'
import type { UseCounter } from '../ports.js'
import type { About, Judge } from './judge.js'

export type AskedOf = { readonly about: About; readonly question: Question }

/** Decides, and has it told in the turn in which it is decided: at once, where nothing has to be awaited. */
export type Ruling = <T>(asked: AskedOf, outgoing: Outgoing, tell: (decision: Decision, evidence: Evidence) => T) => T | Promise<T>

type Outside = { readonly judge: Judge; readonly countUse: UseCounter }

/** Where the uses of the token are limited, an allow takes one of them, last; without it nothing is told. */
export function rulingBy({ judge, countUse }: Outside): Ruling {
  // That took time: whether it is still so is judged again, with no other use.
  const afterUse = async <T>({ about, question, text }: AskedOf & { readonly text: string }, outgoing: Outgoing, tell: (decision: Decision, evidence: Evidence) => T): Promise<T> => {
    const counted = await countUse({ text, sourceAddress: question.sourceAddress }, outgoing)
    return judge({ ...about, consistency: counted ? onceMet(about.consistency) : FULL }, outgoing, (evidence) => {
      const decision = decideAbout(evidence, question)
      // Not to be used from there, and to be used from there after all: changed back meanwhile.
      if (decision.allowed && !counted) throw changesTooFast()
      return tell(decision, evidence)
    })
  }
  return ({ about, question }, outgoing, tell) =>
    judge(about, outgoing, (evidence) => {
      const decision = decideAbout(evidence, question)
      const { credential } = about
      if (!decision.allowed || !evidence.credential.useLimited || credential.kind !== 'token') return tell(decision, evidence)
      return afterUse({ about, question, text: credential.token.text }, outgoing, tell)
    })
}

function decideAbout(evidence: Evidence, question: Question): Decision {
  assertLive(evidence)
  return decide(evidence, question)
}

const FULL: Consistency = { level: 'full' }

/** What was true after the call is as true a moment later. */
const onceMet = (consistency: Consistency): Consistency => (consistency.level === 'full' ? { level: 'bounded' } : consistency)
