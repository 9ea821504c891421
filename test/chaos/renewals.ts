import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type Group, type Identity, isGood, isSeenActive, short, type Token } from './group.js'
import { NO_ANSWER } from './history.js'
import { answerOf } from './recorder.js'
import { CALL_MILLIS } from './step.js'

/** Has another text made of a token's lineage, good as long as the lineage is. One that is surely good must not be refused, and no other for another reason. */
export async function renew(group: Group, about: Identity, token: Token): Promise<void> {
  const { world, recorder } = group.tools
  const isSurelyGood = () => isGood(token) && token.key.state === 'signs' && isSeenActive(group, about)
  const wasGood = isSurelyGood()
  try {
    const { accessToken: text, tokenId } = await world.exchange(group.random)(Exchange.renewAccessToken, { accessToken: token.text }, CALL_MILLIS)
    recorder.note({ type: 'found', what: 'the lineage of a token that was renewed', expected: short(token.id), found: short(tokenId) })
    group.addRenewed(about, token, text)
  } catch (error) {
    const answer = answerOf(error)
    const isSilent = answer === NO_ANSWER || answer.startsWith('ABORTED')
    const isDue = answer.startsWith('UNAUTHENTICATED ACCESS_TOKEN_REJECTED') && !(wasGood && isSurelyGood())
    if (!isSilent && !isDue) recorder.note({ type: 'refused', what: 'RenewAccessToken', answer })
  }
}
