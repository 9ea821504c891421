import { systemClock } from '#libs/clock.js'
import { explain } from '../failure.js'
import type { Tell } from '../read-text.js'
import { printable, timeText } from '../table.js'
import type { Origin, Token } from './fresh-token.js'

// What the agent says of itself: a line for each event on standard error, never a token or a secret.

type Outlook = { readonly retryInMillis: number; readonly remainingMillis: number; readonly isRefused: boolean }

export type Report = {
  note(line: string, fields?: Readonly<Record<string, unknown>>): void
  obtained(token: Token): void
  failed(error: unknown, outlook: Outlook): void
  sinkFailed(name: string, problem: string): void
}

export function reportBy(tell: Tell): Report {
  const note: Report['note'] = (line, fields = {}) => tell(printable(line), { time: timeText(systemClock.now()), ...fields })
  return {
    note,
    obtained: ({ tokenId, identityId, lifeMillis, origin }) =>
      note(`${words[origin]} token ${tokenId} of identity ${identityId}, good for ${seconds(lifeMillis)} s`, { tokenId, identityId, origin, expiresInSeconds: seconds(lifeMillis) }),
    failed: (error, { retryInMillis, remainingMillis, isRefused }) => {
      const { description } = explain(error)
      const what = isRefused ? 'the credential is refused: it takes an operator' : 'no new token'
      const held = remainingMillis > 0 ? `the token that is held is good for ${seconds(remainingMillis)} s more` : 'there is no token'
      const retryInSeconds = Math.max(1, Math.ceil(retryInMillis / 1000))
      note(`${what}. ${description.message} (${description.reason}) ${held}; next attempt in ${retryInSeconds} s`, { error: description, retryInSeconds, expiresInSeconds: seconds(remainingMillis) })
    },
    sinkFailed: (name, problem) => note(`the token can't be put into ${name}: ${problem}`, { sink: name }),
  }
}

const words: Readonly<Record<Origin, string>> = { login: 'obtained', renewal: 'renewed', given: 'was given' }

const seconds = (millis: number): number => Math.floor(millis / 1000)
