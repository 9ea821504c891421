import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { type Group, type Identity, isGood, isSeenActive, short, type Token } from './group.js'
import { NO_ANSWER } from './history.js'
import { answerOf } from './recorder.js'
import { CALL_MILLIS } from './step.js'

/** Has another text made of a token's lineage, good as long as the lineage is. One that is surely good must not be refused. */
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
    if (!isSilent && wasGood && isSurelyGood()) recorder.note({ type: 'refused', what: 'RenewAccessToken', answer })
  }
}
