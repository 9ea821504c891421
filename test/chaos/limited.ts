import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Workload } from '../support/builders.js'
import type { Gate } from './gate.js'
import type { Random } from './random.js'
import { answerOf, type Recorder } from './recorder.js'
import { NO_ANSWER } from './history.js'
import type { World } from './world.js'
import { plainSecret } from '../support/untouched.js'

const LOGINS_MORE = 3
const CALL_MILLIS = 2_000

type Outside = { readonly world: World; readonly recorder: Recorder; readonly random: Random; readonly workload: Workload; readonly gate: Gate }

/** Makes secrets of few uses and logs in with each more often than that, everywhere at once. */
export async function spendLimited(outside: Outside, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await outside.gate.through(() => spendOne(outside)).catch((error: unknown) => {
      const answer = answerOf(error)
      if (answer !== NO_ANSWER && !answer.startsWith('ABORTED CONTENTION')) outside.recorder.note({ type: 'refused', what: 'a secret of few uses', answer })
    })
    await sleep(outside.random.between(500, 1_500))
  }
}

async function spendOne({ world, recorder, random, workload: { identityId, clientId } }: Outside): Promise<void> {
  const useLimit = random.between(1, 4)
  const admin = world.exchange(random, world.organizations[0].token)
  const { clientSecret, secret } = await admin(Exchange.createClientSecret, { identityId, ...plainSecret, description: 'few uses', useLimit }, CALL_MILLIS)
  const logIn = async () => {
    await world.exchange(random)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret: secret } } }, CALL_MILLIS)
    recorder.note({ type: 'use', secret: clientSecret?.id ?? '', limit: useLimit })
  }
  await Promise.allSettled(Array.from({ length: useLimit + LOGINS_MORE }, logIn))
}
