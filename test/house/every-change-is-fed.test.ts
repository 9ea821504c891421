import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { changedInExchange, changedInRegistry, FEEDS, type FeedName } from '#libs/freshness/entities.js'
import { INSTALLATION } from '#libs/ids.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { addressesByService, type CallsByService, callsByService } from '../support/raw-calls.js'
import { startSystem, type System } from '../support/system.js'
import { makeTenant, type Tenant } from '../support/tenant.js'
import { senderOf, VALID_REQUESTS } from '../support/valid-requests.js'
import { encode, type Method, METHODS } from '../support/wire.js'

// What changes an answer has one row in its owner's feed, and what changes none has no row: on real services, for every
// method that there is. every-change-is-named.test.ts says the same of what is written in the code.

let system: System
let tenant: Tenant
let calls: CallsByService

beforeAll(async () => {
  system = await startSystem()
  tenant = await makeTenant(system, 'acme', system.admin)
  calls = callsByService(addressesByService(system))
})
afterAll(async () => {
  calls.close()
  await system.close()
})

const FED: Readonly<Record<FeedName, ReadonlySet<string>>> = {
  registry: new Set(Object.keys(changedInRegistry)),
  exchange: new Set(Object.keys(changedInExchange)),
}

const OWNER_OF: Readonly<Record<string, FeedName>> = {
  IdentityRegistryService: 'registry',
  RegistryInternalService: 'registry',
  AuthExchangeService: 'exchange',
  ExchangeInternalService: 'exchange',
}

const isOfInstallation = ({ name }: Method): boolean => /^ExchangeInternalService\.\w+SigningKey$/.test(name)

function feedOf({ service, desc: { name } }: Method): FeedName | undefined {
  const owner = OWNER_OF[service]
  return owner && FED[owner].has(name) ? owner : undefined
}

const numbers = z.object({ registry: z.coerce.number(), exchange: z.coerce.number() })

const heads = (): Promise<Record<FeedName, number>> =>
  withClient(system.databases.superuserUrl, async (client) => {
    const { rows } = await client.query('select (select seq from registry.feed_head) as registry, (select seq from exchange.feed_head) as exchange')
    return numbers.parse(rows[0])
  })

const changesAfter = (feed: FeedName, seq: number): Promise<{ organization: string; entities: string[] }[]> =>
  withClient(system.databases.superuserUrl, async (client) => {
    const { rows } = await client.query<{ organization: string; entities: string[] }>(
      `select organization_id as organization, entities from ${feed}.feed_change where seq > $1 order by seq`,
      [seq],
    )
    return rows
  })

/** What is there already is not changed. */
const CHANGED_BEFORE = 'RegistryInternalService.Bootstrap'

describe(CHANGED_BEFORE, () => {
  it('was one change when there was nothing', async () => {
    const [first] = await changesAfter('registry', 0)
    const { organizationId } = system.admin
    expect(first).toEqual({ organization: organizationId, entities: [`organization/${organizationId}`] })
  })
})

describe.each(METHODS)('$name', (method) => {
  const feed = method.name === CHANGED_BEFORE ? undefined : feedOf(method)

  it(feed === undefined ? 'is in no feed' : `is one change of the ${feed} feed, of its organization, and of no other feed`, async () => {
    const builders = VALID_REQUESTS.get(method.name) ?? []
    expect(builders).not.toEqual([])
    for (const builder of builders) {
      // What the request is about is made before it, and is in the feeds as well.
      const request = encode(method.desc.input, await builder(tenant))
      const before = await heads()
      const { code } = await calls.of(method.service).call(method.path, request, senderOf(system, tenant)(method))
      expect(code).toBe(status.OK)
      for (const name of FEEDS) {
        const changes = await changesAfter(name, before[name])
        expect(changes.map(({ organization }) => organization)).toEqual(name === feed ? [isOfInstallation(method) ? INSTALLATION : tenant.organizationId] : [])
        expect(changes.every(({ entities }) => entities.length > 0)).toBe(true)
      }
    }
  })
})
