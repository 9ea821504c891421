import { type InternalUnary, serviceNotAllowed } from '#libs/rpc/service-credential.js'
import { INSTALLATION } from '#libs/ids.js'

/** What concerns every organization is for a caller that may ask about every one. */
export const forOperator = <Request, Response>(handler: InternalUnary<Request, Response>): InternalUnary<Request, Response> => (request, call, caller) => {
  if (!caller.mayAskAbout(INSTALLATION)) throw serviceNotAllowed(call.path)
  return handler(request, call, caller)
}
