import { randomBytes } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { Closing } from '#libs/lifecycle.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { secretIdOf, secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { fromAddress } from './from-address.js'
import { type Outcome, rawCallsTo, reasonOf } from './raw-calls.js'
import type { Credentials } from './system.js'

/** Logs in from one address of this machine, and keeps everything that comes. */
export type Caller = { login(credentials: Credentials): Promise<Outcome>; close(): Promise<void> }

export async function callerFrom(exchange: string, localAddress: string): Promise<Caller> {
  const closing = new Closing()
  const way = await fromAddress(exchange, localAddress)
  closing.add(() => way.close())
  const calls = rawCallsTo(way.address, { 'grpc.use_local_subchannel_pool': 1 })
  closing.add(() => calls.close())
  return {
    login: ({ clientId, clientSecret }) =>
      calls.call(Exchange.login.path, Exchange.login.requestSerialize({ proof: { $case: 'universalAuth', value: { clientId, clientSecret } } })),
    close: () => closing.close(),
  }
}

/** The same secret by its id, and another one by what it is verified with. */
export const wrongSecret = ({ clientId, clientSecret }: Credentials): Credentials => ({ clientId, clientSecret: secretText(secretIdOf(clientSecret) ?? '', randomBytes(32)) })

/** How often each answer came, of so many calls that are made `atOnce` at a time. */
export async function answersTo(count: number, call: (place: number) => Promise<Outcome>, atOnce = 50): Promise<Record<string, number>> {
  const answers: Record<string, number> = {}
  let next = 0
  const one = async () => {
    while (next < count) {
      const outcome = await call(next++)
      const answer = outcome.code === status.OK ? 'OK' : (reasonOf(outcome) ?? outcome.details)
      answers[answer] = (answers[answer] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return answers
}
