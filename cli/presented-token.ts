import { DomainError } from '#libs/domain-error.js'
import {
  AuthorizationCheckServiceService as checkService,
  type CheckRequest,
  type CheckResponse,
} from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import type { Shell } from './command.js'
import { readSecret } from './read-text.js'

// Whether the service wants to know who asks depends on where it listens, which can't be told from here: it is asked
// without a caller's token first.

/** Has the acting identity's own token checked. */
export const checkOwn = (shell: Shell, question: CheckRequest): Promise<CheckResponse> =>
  shell.session().withToken(async (accessToken) => {
    const request = { ...question, accessToken }
    try {
      return await shell.connections.call('check', checkService.check, request)
    } catch (error) {
      if (!wantsCaller(error)) throw error
      return shell.connections.as(accessToken).call('check', checkService.check, request)
    }
  })

/** Has a token checked that somebody presented. */
export async function checkPresented(shell: Shell, request: CheckRequest): Promise<CheckResponse> {
  try {
    return await shell.connections.call('check', checkService.check, request)
  } catch (error) {
    if (!wantsCaller(error)) throw error
    return shell.session().withToken((callerToken) => shell.connections.as(callerToken).call('check', checkService.check, request))
  }
}

/** The token that somebody presented, in a file or in the environment, where there is one. */
export async function presentedText({ environment, tell }: Shell, file: string | undefined): Promise<string | undefined> {
  return file === undefined ? environment.COUNTERSIGN_TOKEN || undefined : readSecret(file, tell)
}

const wantsCaller = (error: unknown): boolean =>
  error instanceof DomainError && error.kind === 'UNAUTHENTICATED' && error.reason !== 'ACCESS_TOKEN_REJECTED'
