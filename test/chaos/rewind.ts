import { setTimeout as sleep } from 'node:timers/promises'
import { escapeIdentifier } from 'pg'
import type { FeedName } from '#libs/freshness/entities.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { type Asker, demandFull, demandNothing, type Subject, subjectsOf } from './asker.js'
import { exchangeChanges, trustToken } from './exchange-changes.js'
import type { Fault, FaultKind } from './faults.js'
import type { Gate } from './gate.js'
import { type Group, type Identity, isGood, isTrustedHere, valueOf } from './group.js'
import { perform } from './mutator.js'
import type { Random } from './random.js'
import { registryChanges } from './registry-changes.js'
import type { Step } from './step.js'
import type { World } from './world.js'

// A failover that repeats numbers: the newest changes of a feed lose their numbers, the feed gets a new epoch, and new changes
// get the same numbers, all while one replica can't look. It then must see that they are others.

type Outside = { readonly groups: readonly Group[]; readonly gate: Gate; readonly asker: Asker }

type CheckSubject = Extract<Subject, { kind: 'check' }>
type Victim = { readonly subject: CheckSubject; readonly group: Group; readonly about: Identity }

export const rewindFault = (outside: Outside): FaultKind => ({
  weight: 5,
  millis: [50, 300],
  isAlone: true,
  make: (world, random) => rewound(world, random, outside),
})

const HELD_WITHIN_MILLIS = 4_000
const ASKED_AFTER_MILLIS = 1_200

function rewound(world: World, random: Random, { groups, gate, asker }: Outside): Fault | undefined {
  const check = random.pick(world.fleet.relays)
  if (!check) return undefined
  const feed: FeedName = random.chance(0.5) ? 'registry' : 'exchange'
  const owners = feed === 'registry' ? world.fleet.registries : world.fleet.exchanges
  const edges = owners.map(({ name }) => world.fleet.edge(`${check.name} → ${name}`))
  let victims: Victim[] = []
  const askVictims = (demanded = demandNothing) => Promise.all(victims.map(({ subject }) => asker.askAt(check.name, subject, demanded)))
  return {
    kind: 'rewind',
    target: `${feed}, unseen by ${check.name}`,
    resources: ['everything'],
    async begin() {
      if (!(await gate.close(HELD_WITHIN_MILLIS))) return
      victims = victimsOf(groups, random)
      await askVictims(demandFull)
      await askVictims()
      for (const edge of edges) edge.blackhole()
      await repeatNumbers(world, feed, victims.length)
      await Promise.all(victims.map((victim) => forbid(victim, feed)))
      // As many as were lost, or a few more.
      for (let more = random.oneOf([0, 0, 1, 3]); more > 0; more -= 1) await changeNothing(random.pick(victims), feed)
    },
    async end() {
      for (const edge of edges) edge.pass()
      gate.open()
      for (let left = ASKED_AFTER_MILLIS; left > 0; left -= 40) {
        await askVictims()
        await sleep(40)
      }
    },
  }
}

/** Identities of different groups that are allowed something, with the tokens and places where they are. */
function victimsOf(groups: readonly Group[], random: Random): Victim[] {
  const most = random.between(2, 5)
  const found = groups.flatMap((group): Victim[] => {
    const candidates = group.identities.flatMap((about) => {
      if (about.isTainted) return []
      const allowed = subjectsOf(group).filter((subject) => subject.kind === 'check')
      const own = allowed.filter(({ token, projectId }) => {
        const scope = group.scopes.find((one) => one.projectId === projectId)
        return isGood(token) && isTrustedHere(token) && about.tokens.includes(token) && scope !== undefined && valueOf(about, scope) === 'allow'
      })
      return own.map((subject) => ({ subject, group, about }))
    })
    return candidates.slice(0, 1)
  })
  return found.slice(0, most)
}

async function forbid({ group, about, subject: { token } }: Victim, feed: FeedName): Promise<void> {
  const inExchange = () => (group.random.chance(0.3) ? trustToken(group, about, token, 'elsewhere') : exchangeChanges.RevokeAccessToken.plan(group, about))
  await performed(group, feed === 'registry' ? registryChanges.DisableIdentity.plan(group, about) : inExchange())
}

async function changeNothing(victim: Victim | undefined, feed: FeedName): Promise<void> {
  const planner = feed === 'registry' ? registryChanges.UpdateIdentity : exchangeChanges.ClearLockouts
  if (victim) await performed(victim.group, planner.plan(victim.group, victim.about))
}

async function performed(group: Group, step: Step | undefined): Promise<void> {
  if (step) await perform(group, step)
}

async function repeatNumbers({ postgres }: World, feed: FeedName, count: number): Promise<void> {
  const schema = escapeIdentifier(feed)
  await withClient(postgres.superuserUrl, async (client) => {
    await client.query('begin')
    await client.query(`update ${schema}.feed_head set seq = seq - $1`, [count])
    await client.query(`delete from ${schema}.feed_change where seq > (select seq from ${schema}.feed_head)`)
    await client.query(`update ${schema}.feed_setting set epoch = gen_random_uuid()`)
    await client.query('commit')
  })
}
