import { setTimeout as sleep } from 'node:timers/promises'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { makeWorkload, type Workload } from '../support/builders.js'
import type { Session } from '../support/system.js'
import { give } from '../support/token-settings.js'
import { plainSecret } from '../support/untouched.js'
import { BOUNDED } from './consistency.js'
import { askCheck, askExtAuthz } from './doors.js'
import type { Gate } from './gate.js'
import { short } from './group.js'
import { NO_ANSWER } from './history.js'
import type { Random } from './random.js'
import { answerOf, type Recorder } from './recorder.js'
import type { World } from './world.js'

// What may be used a few times, and is used more often than that, everywhere at once. A use whose answer was lost is spent.

const MORE = 3
const CALL_MILLIS = 2_000
const TOKEN_LIMITS = [1, 2, 3, 6]

/** Somebody whose tokens are for so many questions. */
type Spender = { readonly workload: Workload; readonly limit: number }

/** What became of the questions about one token. */
type Spent = { readonly tokenId: string; readonly limit: number; readonly asked: number; allowed: number; rejected: number }

type Outside = { readonly world: World; readonly recorder: Recorder; readonly random: Random; readonly workload: Workload; readonly spenders: readonly Spender[]; readonly gate: Gate }

/** Who may read everywhere in the organization, by tokens of few uses. */
export async function makeSpenders(admin: Session): Promise<Spender[]> {
  const making = TOKEN_LIMITS.map(async (limit): Promise<Spender> => {
    const workload = await makeWorkload(admin, { name: `for ${limit} uses`, role: 'viewer' })
    await give(admin, workload.identityId, { accessTokenUseLimit: limit })
    return { workload, limit }
  })
  return Promise.all(making)
}

/** Spends secrets and tokens until it is over; then every token has to have counted what was allowed, and no more than was asked. */
export async function spendLimited(outside: Outside, isOver: () => boolean): Promise<readonly Spent[]> {
  const { gate, random } = outside
  const spent: Spent[] = []
  while (!isOver()) {
    const spender = random.chance(0.6) ? random.pick(outside.spenders) : undefined
    const round = spender ? () => spendToken(outside, spender, spent) : () => spendSecret(outside)
    await gate.through(round).catch((error: unknown) => tell(outside, answerOf(error)))
    await sleep(random.between(300, 1_000))
  }
  return spent
}

/** Anything but what a fault may cause, and what whoever is one too many is told. */
function tell({ recorder }: Outside, answer: string): void {
  if (answer !== NO_ANSWER && !answer.startsWith('ABORTED CONTENTION')) recorder.note({ type: 'refused', what: 'what has few uses', answer })
}

async function spendSecret({ world, recorder, random, workload: { identityId, clientId } }: Outside): Promise<void> {
  const useLimit = random.between(1, 4)
  const admin = world.exchange(random, world.organizations[0].token)
  const { clientSecret, secret } = await admin(Exchange.createClientSecret, { identityId, ...plainSecret, description: 'few uses', useLimit }, CALL_MILLIS)
  const logIn = async () => {
    await world.exchange(random)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret: secret } } }, CALL_MILLIS)
    recorder.note({ type: 'use', of: `logins with secret ${short(clientSecret?.id ?? '')}`, limit: useLimit })
  }
  await Promise.allSettled(Array.from({ length: useLimit + MORE }, logIn))
}

/** Fewer questions than it has uses, or more. */
async function spendToken(outside: Outside, { workload, limit }: Spender, all: Spent[]): Promise<void> {
  const { world, recorder, random } = outside
  const { clientId, clientSecret } = workload
  const { accessToken, tokenId } = await world.exchange(random)(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } }, CALL_MILLIS)
  const spent: Spent = { tokenId, limit, asked: random.between(1, limit + MORE), allowed: 0, rejected: 0 }
  all.push(spent)
  const ask = async () => {
    const member = random.pick(world.fleet.checks)
    if (!member) throw new Error('a fleet without replicas')
    const { answer } = await random.oneOf([askCheck, askExtAuthz])(world.at(member), { shown: accessToken, projectId: '', consistency: BOUNDED })
    if (answer === 'rejected') return (spent.rejected += 1)
    if (answer !== 'allow') return tell(outside, answer)
    spent.allowed += 1
    recorder.note({ type: 'use', of: `allows by token ${short(tokenId)}`, limit })
  }
  await Promise.all(Array.from({ length: spent.asked }, ask))
}

/** Asked of the table: no answer says how many uses of a token that is spent were counted. */
export async function readUses({ postgres }: World, recorder: Recorder, all: readonly Spent[]): Promise<void> {
  const { rows } = await withClient(postgres.superuserUrl, (client) => client.query<{ id: string; uses: number }>('select id, uses from exchange.access_token where use_limit is not null'))
  const counted = new Map(rows.map(({ id, uses }) => [id, uses]))
  for (const { tokenId, limit, asked, allowed, rejected } of all) {
    const uses = counted.get(tokenId) ?? Number.NaN
    // Nobody is told that none is left as long as one is.
    const least = rejected > 0 ? limit : allowed
    const most = Math.min(limit, asked)
    const expected = `from ${least} to ${most}, of ${asked} asked, ${allowed} allowed and ${rejected} rejected`
    recorder.note({ type: 'found', what: `uses that token ${short(tokenId)} counted`, expected, found: least <= uses && uses <= most ? expected : String(uses) })
  }
}
