import { timeText } from '../table.js'
import { explain, Failure, wrongUsage } from '../failure.js'
import type { Tell } from '../read-text.js'
import type { Token } from './fresh-token.js'
import { type Claims, claimsOf, givenTokenFrom } from './issued-token.js'
import { isFinal } from './setback.js'
import type { Renew, TokenSource } from './token-source.js'

type Given = {
  /** The token as an operator put it there: looked at anew each time. */
  readonly read: () => Promise<string>
  /** Where that is, for people; `-` is standard input. */
  readonly name: string
  /** What an agent that ran before left: maybe the same token, renewed since. */
  readonly leftovers: readonly string[]
}

type Outside = { readonly renew: Renew; readonly wallMillis: () => number; readonly tell: Tell }

/** A token of Token Auth: it is renewed as long as that is possible, and nothing can be done beyond that but by an operator. */
export function givenTokenSource({ read, name, leftovers }: Given, { renew, wallMillis, tell }: Outside): TokenSource {
  let own: Token | undefined
  const keep = (token: Token): Token => {
    own = token
    if (token.spareMillis === 0) tell(`token ${token.tokenId} ends at ${timeText(new Date(wallMillis() + token.lifeMillis))}, and no renewal goes beyond. ${remedy(name)}`, { tokenId: token.tokenId })
    return token
  }
  const renewed = async (text: string, claims: Claims): Promise<Token> => {
    const isOwn = text === own?.accessToken
    if (isOwn && own?.spareMillis === 0) throw noMore(name)
    try {
      return await renew(text)
    } catch (error) {
      if (!isFinal(error)) throw error
      if (explain(error).description.reason !== NOT_RENEWABLE) throw refused(error, name)
      if (isOwn) throw noMore(name)
      return givenTokenFrom(text, claims, wallMillis())
    }
  }
  return {
    obtain: async () => {
      const given = await read()
      const { text, claims } = latestOf(given, own ? [own.accessToken] : leftovers, name)
      return keep(await renewed(text, claims))
    },
  }
}

const NOT_RENEWABLE = 'TOKEN_NOT_RENEWABLE'

/** Throws where it is no token. */
export function claimsOfGiven(text: string, name: string): Claims {
  const claims = claimsOf(text)
  if (claims === undefined) throw wrongUsage(`${name === '-' ? 'What came on standard input' : `What is in ${name}`} is no access token.`)
  return claims
}

/** The text that lives longest of those that are the same token as the given one. */
function latestOf(given: string, others: readonly string[], name: string): { readonly text: string; readonly claims: Claims } {
  const claims = claimsOfGiven(given, name)
  return others.reduce((latest, text) => {
    const found = claimsOf(text)
    return found?.jti === claims.jti && found.exp >= latest.claims.exp ? { text, claims: found } : latest
  }, { text: given, claims })
}

const remedy = (name: string): string =>
  `Make another token with \`countersign token create\` and ${name === '-' ? 'start the agent again with it' : `put it into ${name}: it is looked at again at least once a minute`}.`

const noMore = (name: string): Failure =>
  new Failure({ exitCode: 1, reason: NOT_RENEWABLE, message: `The token that was given can't be renewed any more. ${remedy(name)}` })

function refused(error: unknown, name: string): Failure {
  const { reason, message } = explain(error).description
  return new Failure({ exitCode: 1, reason, message: `${message} ${remedy(name)}`, cause: error })
}
