import { connect } from '../connection.js'
import { oneCheck } from '../one-check.js'
import type { Subject } from '../row.js'
import type { BenchSystem } from '../system.js'
import { manyQuestions, SMALLEST_MEMORY } from './many-questions.js'

type Options = { readonly redis: boolean; readonly because: string }

/** Checks whose token and grants are never in the memory of an authorization-check of their own; the role is, as it is shared. */
export async function missedChecks(system: BenchSystem, { redis, because }: Options): Promise<Subject> {
  const questions = await manyQuestions(system)
  const replica = await system.startCheck(SMALLEST_MEMORY, { redis })
  const connection = connect(replica.address)
  const calls = questions.map((question) => oneCheck(connection, question))
  let asked = 0
  return {
    call: () => {
      asked += 1
      return calls[asked % calls.length]?.() ?? Promise.reject(new Error('there is no question'))
    },
    server: replica.part,
    others: { parts: [system.parts.exchange, system.parts.registry, system.parts.postgres], because },
    close: async () => {
      connection.close()
      await replica.close()
    },
  }
}
