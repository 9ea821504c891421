import type { Ids } from '#libs/ids.js'
import type { Call } from '#libs/rpc/unary.js'
import type { Decision, Evidence, Reason } from '../domain/decide.js'
import type { Question } from '../domain/question.js'
import type { Credential } from '../ports.js'
import type { Asker, AskerOf } from './caller.js'
import type { About } from './judge.js'
import type { Ruling } from './ruling.js'

/** What is asked, by which credential, and how fresh the answer has to be. */
export type ToDecide = Pick<About, 'consistency'> & { readonly credential: Credential; readonly question: Question }

/** A decision, what it rests on, and the id that it is logged by. */
export type Decided = { readonly decision: Decision; readonly evidence: Evidence; readonly decisionId: string }

/** Decides, at once where all that it needs is in memory, and has it told in the turn in which it is decided. */
export type Deciding = <Answer>(asked: ToDecide, call: Call, tell: (decided: Decided) => Answer) => Answer | Promise<Answer>

type Outside = { readonly ruling: Ruling; readonly asker: AskerOf; readonly ids: Ids; readonly decided: (reason: Reason) => void }

/** The one way to a decision, whichever protocol asks for it. */
export function decidingBy({ ruling, asker, ids, decided }: Outside): Deciding {
  return (asked, call, tell) => {
    const { credential, question, consistency } = asked
    const answer = ({ mayAskAbout }: Asker) => {
      const about = { credential, projectId: question.projectId, consistency, mayAskAbout }
      return ruling({ about, question }, call, (decision, evidence) => {
        const { organizationId, identityId, tokenId, principalId } = evidence.credential
        call.note({
          organization_id: organizationId,
          identity_id: identityId,
          ...(tokenId !== undefined && { token_id: tokenId }),
          ...(principalId !== undefined && { principal_id: principalId }),
          action: question.action,
          resource: question.resource,
        })
        const decisionId = ids.next()
        decided(decision.reason)
        call.note({ allowed: decision.allowed, decision_reason: decision.reason, decision_id: decisionId })
        return tell({ decision, evidence, decisionId })
      })
    }
    const by = asker(call)
    return by instanceof Promise ? by.then(answer) : answer(by)
  }
}
