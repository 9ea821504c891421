import { AuthorizationCheckServiceService as Check, type CheckRequest } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Connection } from './connection.js'
import type { Call } from './load.js'

/** Asks an allowed question. */
export const oneCheck = (connection: Connection, question: CheckRequest): Call => async () => {
  const { allowed } = await connection.unary(Check.check, question)
  if (!allowed) throw new Error('a check was denied that is allowed')
}
