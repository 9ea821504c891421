import { createHash, randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { secretText } from '../../services/auth-exchange/domain/client-secret.js'
import { digestUnder, type Pepper } from '../../services/auth-exchange/domain/secret-hash.js'
import { secretHasher } from '../../services/auth-exchange/methods/universal/secret-hasher.js'
import { freshNames, makeWorkload, type Workload } from '../support/builders.js'
import { storedText } from '../support/rows.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { type AnotherExchange, anotherExchange } from './another-exchange.js'
import { plainSecret } from '../support/untouched.js'

let system: System
let admin: Session
const opened: AnotherExchange[] = []

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterEach(async () => {
  for (const exchange of opened.splice(0)) await exchange.close()
})
afterAll(() => system.close())

const next = freshNames('workload')
const newWorkload = () => makeWorkload(admin, { name: next() })
const pepper = (id: string, base64 = randomBytes(32).toString('base64')): Pepper => ({ id, key: Buffer.from(base64, 'base64') })
const first = () => pepper('local', system.secrets.pepper)

/** The service as it is after a restart with these peppers. */
async function restartedWith(...peppers: Pepper[]): Promise<AnotherExchange> {
  const exchange = await anotherExchange(system, { PEPPERS: peppers.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(',') })
  opened.push(exchange)
  return exchange
}

type Row = { readonly digest: Buffer; readonly pepper_id: string; readonly argon2_hash: Buffer; readonly argon2_salt: Buffer }

async function rowOf({ secretId }: Workload): Promise<Row> {
  const query = 'select * from exchange.client_secret where id = $1'
  const { rows } = await withClient(system.databases.superuserUrl, (client) => client.query<Row>(query, [secretId]))
  if (!rows[0]) throw new Error('no such secret')
  return rows[0]
}

const change = ({ secretId }: Workload, assignments: string, ...values: unknown[]) =>
  withClient(system.databases.superuserUrl, (client) =>
    client.query(`update exchange.client_secret set ${assignments} where id = $1`, [secretId, ...values]))

/** No pepper has this name: what is left to verify the secret with is argon2id. */
const forgetPepper = (secret: Workload) => change(secret, "pepper_id = 'forgotten'")
/** What is left to verify the secret with is the digest. */
const spoilArgon2 = (secret: Workload) => change(secret, 'argon2_hash = $2', randomBytes(32))

const rejected = { kind: 'UNAUTHENTICATED', reason: 'CREDENTIALS_REJECTED' }

/** One more secret of the same identity. */
async function another(workload: Workload): Promise<Workload> {
  const request = { identityId: workload.identityId, ...plainSecret }
  const { clientSecret, secret } = await admin.exchange(Exchange.createClientSecret, request)
  return { ...workload, clientSecret: secret, secretId: clientSecret?.id ?? '' }
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const bodyOf = (text: string): string => text.slice(37, -6)
/** The 32 random bytes of a secret's text. */
const bytesOf = (text: string): Buffer =>
  Buffer.from([...bodyOf(text)].reduce((value, digit) => value * 62n + BigInt(DIGITS.indexOf(digit)), 0n).toString(16).padStart(64, '0'), 'hex')

describe('a client secret at rest', () => {
  it('is in no table, nor what it spells, nor a hash of either that needs no key', async () => {
    const { clientSecret: text } = await newWorkload()
    expect(secretText(`${text.slice(4, 12)}-${text.slice(12, 36)}`, bytesOf(text))).toBe(text)
    const everything = (await storedText(system.databases.superuserUrl, () => true)).toLowerCase()
    expect(everything).toContain('argon2_hash')
    for (const secret of [text, text.slice(4), bodyOf(text), bytesOf(text)]) {
      for (const bytes of [Buffer.from(secret), createHash('sha256').update(secret).digest(), createHash('sha512').update(secret).digest()]) {
        const forms = (['latin1', 'hex', 'base64', 'base64url'] as const).map((encoding) => bytes.toString(encoding).toLowerCase())
        for (const form of forms) expect(everything).not.toContain(form)
      }
    }
  })

  it('is a digest under the current pepper, and a raw argon2id hash with a salt of its own', async () => {
    const [workload, other] = [await newWorkload(), await newWorkload()]
    const [row, { argon2_salt: otherSalt }] = [await rowOf(workload), await rowOf(other)]
    const owner = { ...workload, organizationId: system.admin.organizationId, id: workload.secretId }
    expect(row).toMatchObject({ pepper_id: 'local', digest: digestUnder(first(), owner, workload.clientSecret) })
    expect([row.argon2_hash.length, row.argon2_salt.length, row.argon2_salt.equals(otherSalt)]).toEqual([32, 16, false])
  })

  // Whoever can write to the database must not log in as somebody else with a secret of its own. The first two seen to fail,
  // each way, with the owner left out of what is hashed that way; the last with the id of the secret left out of it.
  describe.each([['argon2id', forgetPepper], ['the digest', spoilArgon2]] as const)('that %s verifies', (_name, leaveOnly) => {
    it('is worth nothing once its row was moved to another identity', async () => {
      const [thief, victim] = [await newWorkload(), await newWorkload()]
      await leaveOnly(thief)
      await system.login(thief)
      await leaveOnly(thief)
      await change(thief, 'identity_id = $2', victim.identityId)
      await expect(system.login({ ...thief, clientId: victim.clientId })).rejects.toMatchObject(rejected)
      await change(thief, 'identity_id = $2', thief.identityId)
      await system.login(thief)
    })

    it('is worth nothing once its row was moved to another organization', async () => {
      const [thief, victim] = [await newWorkload(), await system.newOrganization()]
      await leaveOnly(thief)
      await change(thief, 'organization_id = $2, identity_id = $3', victim.organizationId, victim.identityId)
      await expect(system.login({ ...thief, clientId: victim.clientId })).rejects.toMatchObject(rejected)
    })

    it('is worth nothing in the row of another secret, of another identity or of the same', async () => {
      const thief = await newWorkload()
      const columns = 'digest, pepper_id, argon2_hash, argon2_salt, argon2_parameters'
      for (const victim of [await newWorkload(), await another(thief)]) {
        await change(victim, `(${columns}) = (select ${columns} from exchange.client_secret where id = $2)`, thief.secretId)
        await leaveOnly(victim)
        const retold = secretText(victim.secretId, bytesOf(thief.clientSecret))
        await expect(system.login(victim)).rejects.toMatchObject(rejected)
        await expect(system.login({ ...victim, clientSecret: retold })).rejects.toMatchObject(rejected)
      }
    })
  })

  it('is verified by its digest alone as long as the pepper is known: argon2id costs a login nothing', async () => {
    const workload = await newWorkload()
    await spoilArgon2(workload)
    await system.login(workload)
  })
})

describe('a lost pepper', () => {
  it('costs nobody a secret: argon2id verifies it, and its digest is made anew under the current pepper', async () => {
    const [workload, fresh] = [await newWorkload(), pepper('fresh')]
    const before = await rowOf(workload)
    const exchange = await restartedWith(fresh)
    const { tokenId } = await exchange.login(workload)
    const owner = { ...workload, organizationId: system.admin.organizationId, id: workload.secretId }
    const anew = { pepper_id: 'fresh', digest: digestUnder(fresh, owner, workload.clientSecret) }
    expect(await rowOf(workload)).toEqual({ ...before, ...anew, uses: 1, last_used_time: expect.any(Date), last_used_address: '127.0.0.1' })
    expect(tokenId).not.toBe('')
    await spoilArgon2(workload)
    await exchange.login(workload)
  })

  it('gains nobody a secret: a wrong one is refused, and the digest stays as it was', async () => {
    const workload = await newWorkload()
    const before = await rowOf(workload)
    const exchange = await restartedWith(pepper('fresh'))
    await expect(exchange.login({ ...workload, clientSecret: secretText(workload.secretId, randomBytes(32)) })).rejects.toMatchObject(rejected)
    expect(await rowOf(workload)).toEqual(before)
  })
})

describe('two peppers at once', () => {
  it('verify what was made under either, and a login moves the digest to the first', async () => {
    const [changing, unused] = [await newWorkload(), await newWorkload()]
    const fresh = pepper('fresh')
    for (const secret of [changing, unused]) await spoilArgon2(secret)
    const both = await restartedWith(fresh, first())
    await both.login(changing)
    expect([await rowOf(changing), await rowOf(unused)]).toMatchObject([{ pepper_id: 'fresh' }, { pepper_id: 'local' }])

    const reversed = await restartedWith(first(), fresh)
    await reversed.login(changing)
    await reversed.login(unused)
    expect(await rowOf(changing)).toMatchObject({ pepper_id: 'local' })
    await both.login(changing)

    const onlyFresh = await restartedWith(fresh)
    await onlyFresh.login(changing)
    await expect(onlyFresh.login(unused)).rejects.toMatchObject(rejected)
  })
})

describe('hashing', () => {
  it('is bounded: what would have to wait behind too much is refused at once', async () => {
    const hasher = secretHasher(pepper('any'))
    const owner = { organizationId: '', identityId: '', id: '' }
    const cheap = { argon2Hash: randomBytes(32), argon2Salt: randomBytes(16), argon2Parameters: { memoryCost: 64, timeCost: 2, parallelism: 1 } }
    const outcomes = await Promise.allSettled(Array.from({ length: 70 }, () => hasher.matches(owner, 'text', cheap)))
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(refusals).toHaveLength(4)
    const busy = { kind: 'RESOURCE_EXHAUSTED', reason: 'HASHING_BUSY', retryAfterMillis: expect.any(Number) }
    for (const refusal of refusals) expect(refusal).toMatchObject(busy)
  })
})
