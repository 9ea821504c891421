import { describe, expect, it } from 'vitest'
import { DomainError } from '#libs/domain-error.js'
import { Failure } from '../failure.js'
import type { Holding, Token } from './fresh-token.js'
import { givenTokenSource } from './given-token.js'
import { tokenFrom } from './issued-token.js'
import { setbackOf } from './setback.js'

const NOW_SECONDS = 1_000_000
const text = (jti: string, exp: number) => `e30.${Buffer.from(JSON.stringify({ jti, sub: 'i', org: 'o', iat: NOW_SECONDS - 60, exp: NOW_SECONDS + exp })).toString('base64url')}.x`
const notRenewable = new DomainError('FAILED_PRECONDITION', 'TOKEN_NOT_RENEWABLE', 'No renewal goes beyond.')
const rejected = new DomainError('UNAUTHENTICATED', 'ACCESS_TOKEN_REJECTED', 'The access token was rejected.')
const down = new Failure({ exitCode: 3, reason: 'PEER_UNAVAILABLE', message: 'Nobody there.', cause: new DomainError('UNAVAILABLE', 'PEER_UNAVAILABLE', 'Nobody there.') })

/** A file with a token in it, and a server that answers as it is told to; which texts it was shown is written down. */
function world(given: string, leftovers: readonly string[] = []) {
  const answers: (Token | Error)[] = []
  const shown: string[] = []
  const lines: string[] = []
  let file = given
  const source = givenTokenSource({ read: () => Promise.resolve(file), name: 'token.txt', leftovers }, {
    renew: (accessToken) => {
      shown.push(accessToken)
      const answer = answers.shift() ?? down
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    wallMillis: () => NOW_SECONDS * 1000,
    tell: (line) => void lines.push(line),
  })
  return { shown, lines, obtain: (held?: Holding) => source.obtain(held), answer: (...next: (Token | Error)[]) => void answers.push(...next), put: (token: string) => void (file = token) }
}

const renewal = (accessToken: string, spareMillis = Number.POSITIVE_INFINITY): Token => ({ ...tokenFrom({ accessToken }), origin: 'renewal', spareMillis })

describe('a token that was given', () => {
  it('is renewed, and then what it became', async () => {
    const { obtain, answer, shown, lines } = world(text('a', 100))
    answer(renewal(text('a', 200)), renewal(text('a', 300)))
    expect(await obtain()).toMatchObject({ tokenId: 'a', origin: 'renewal' })
    expect((await obtain()).accessToken).toBe(text('a', 300))
    expect([shown, lines]).toEqual([[text('a', 100), text('a', 200)], []])
  })

  // Its first text may have expired since: seen to fail where leftovers are not looked at.
  it('goes on from what an agent before left of it, and of nothing else', async () => {
    const { obtain, answer, shown } = world(text('a', 100), [text('b', 900), text('a', 50), text('a', 300), 'else'])
    answer(renewal(text('a', 400)))
    await obtain()
    expect(shown).toEqual([text('a', 300)])
  })

  it('is left for another one that an operator puts in its place', async () => {
    const { obtain, answer, shown, put } = world(text('a', 100), [text('a', 300)])
    answer(renewal(text('a', 400)), renewal(text('b', 200)))
    await obtain()
    put(text('b', 150))
    expect(await obtain()).toMatchObject({ tokenId: 'b' })
    expect(shown.at(-1)).toBe(text('b', 150))
  })

  it('is asked for again where the server can not answer', async () => {
    const { obtain, answer, shown } = world(text('a', 100))
    answer(renewal(text('a', 200)), down, renewal(text('a', 300)))
    await obtain()
    await expect(obtain()).rejects.toBe(down)
    await obtain()
    expect(shown).toEqual([text('a', 100), text('a', 200), text('a', 200)])
  })

  it('and was revoked takes an operator, who is told what to do', async () => {
    const { obtain, answer } = world(text('a', 100))
    answer(rejected)
    const failure: unknown = await obtain().catch((error: unknown) => error)
    expect(failure).toMatchObject({ reason: 'ACCESS_TOKEN_REJECTED', message: 'The access token was rejected. Make another token with `countersign token create` and put it into token.txt: it is looked at again at least once a minute.' })
    expect(setbackOf(failure).isRefusal).toBe(true)
  })
})

describe('a token at the end of its lineage', () => {
  it('is good until then, which is said at once, and nobody is asked any more', async () => {
    const { obtain, answer, shown, lines } = world(text('a', 100))
    answer(renewal(text('a', 200), 0))
    await obtain()
    expect(lines).toEqual([expect.stringMatching(/^token a ends at 1970-.*, and no renewal goes beyond\. Make another token with `countersign token create` and put it into token\.txt/)])
    const failure: unknown = await obtain().catch((error: unknown) => error)
    expect([failure, setbackOf(failure).isRefusal]).toEqual([expect.objectContaining({ reason: 'TOKEN_NOT_RENEWABLE' }), false])
    expect(shown).toHaveLength(1)
  })

  it('is taken as it was given, for as long as the wall clock says', async () => {
    const { obtain, answer, put, lines } = world(text('a', 100))
    answer(notRenewable, renewal(text('b', 200)))
    expect(await obtain()).toEqual({ accessToken: text('a', 100), tokenId: 'a', identityId: 'i', organizationId: 'o', lifeMillis: 100_000, origin: 'given', spareMillis: 0 })
    expect(lines).toHaveLength(1)
    await expect(obtain()).rejects.toMatchObject({ reason: 'TOKEN_NOT_RENEWABLE' })
    put(text('b', 100))
    expect(await obtain()).toMatchObject({ tokenId: 'b' })
  })

  it('is not taken where it has expired, or is about to', async () => {
    for (const exp of [-5, 1]) {
      const { obtain, answer } = world(text('a', exp))
      answer(notRenewable)
      await expect(obtain()).rejects.toMatchObject({ reason: 'TOKEN_LIFE_TOO_SHORT' })
    }
  })
})

it('what is no token is not shown to anybody', async () => {
  const { obtain, shown } = world('csk_secret')
  await expect(obtain()).rejects.toThrow('What is in token.txt is no access token.')
  expect(shown).toEqual([])
})
