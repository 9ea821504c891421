import type { CheckRequest } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { bindTo, makeProject } from '../../test/support/builders.js'
import type { Session } from '../../test/support/system.js'
import type { BenchSystem } from '../system.js'

// So many that the smallest memory of authorization-check can't hold the entries of one round: one megabyte, of which an
// identity may fill a fiftieth.
const PROJECTS = 16

/** The memory for which these are too many. */
export const SMALLEST_MEMORY = { CACHE_MEGABYTES: '1' }

const made = new WeakMap<BenchSystem, Promise<readonly CheckRequest[]>>()

/** Allowed questions, each with a token and a project of its own, so that no two of them share more than a role. */
export function manyQuestions(system: BenchSystem): Promise<readonly CheckRequest[]> {
  const questions = made.get(system) ?? makeQuestions(system)
  made.set(system, questions)
  return questions
}

async function makeQuestions({ session, workloads, login }: BenchSystem): Promise<readonly CheckRequest[]> {
  const questions: CheckRequest[] = []
  for (let number = 0; number < PROJECTS; number += 1) {
    const projectId = await makeProject(session, `project-${number}`)
    questions.push(...(await Promise.all(workloads.map((workload) => question(session, projectId, workload)))))
  }
  return questions

  async function question(by: Session, projectId: string, workload: BenchSystem['workloads'][number]): Promise<CheckRequest> {
    await bindTo(by, workload.identityId, projectId, 'viewer')
    const { accessToken } = await login(workload)
    return { accessToken, projectId, action: 'read', resource: { type: 'secrets', attributes: {} }, consistency: undefined, context: {}, sourceAddress: '' }
  }
}
