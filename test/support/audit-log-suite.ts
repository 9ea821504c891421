import { afterAll, beforeAll, expect, it } from 'vitest'
import { ListAuditEventsRequest, type ListAuditEventsResponse } from '#libs/wire/gen/countersign/audit/v1/audit_event.js'
import { withClient } from '../../deploy/local/service-databases.js'
import { invalid } from '../identity-registry/expected.js'
import { freshNames, UNKNOWN_ID } from './builders.js'
import { MINUTE, SECOND } from './manual-clock.js'
import { type Session, startSystem, type System } from './system.js'

type Acted = {
  readonly identityId: string
  /** The last thing that was done. */
  readonly action: string
  readonly targetType: string
  readonly targetId: string
  /** What was done to the identity itself, or its auth method. */
  readonly ofIdentity: readonly string[]
}

type Service = {
  readonly list: (by: Session, request: ListAuditEventsRequest) => Promise<ListAuditEventsResponse>
  /** Makes an identity and does something more with it. */
  readonly act: (admin: Session, name: string) => Promise<Acted>
}

/** What both services promise of reading their audit log. */
export function auditLogSuite({ list: listBy, act }: Service): void {
  let system: System
  let admin: Session

  beforeAll(async () => {
    system = await startSystem()
    admin = await system.session(system.admin)
  })
  afterAll(() => system.close())

  const next = freshNames('acted-on')
  const list = (request: Partial<ListAuditEventsRequest> = {}, by = admin) => listBy(by, ListAuditEventsRequest.fromPartial(request))
  const idsOf = ({ auditEvents }: ListAuditEventsResponse): string[] => auditEvents.map(({ id }) => id)

  it('answers with what was done, by whom, to what and when, newest first', async () => {
    system.clock.advance(MINUTE)
    const { action, targetType, targetId } = await act(admin, next())
    const { auditEvents } = await list()
    const ids = auditEvents.map(({ id }) => id)
    expect(auditEvents[0]).toMatchObject({
      createTime: system.clock.now(),
      action,
      actorIdentityId: system.admin.identityId,
      actorTokenId: admin.tokenId,
      targetType,
      targetId,
      details: expect.any(Object),
      requestId: expect.stringMatching(/./),
    })
    expect(ids).toEqual(ids.toSorted().reverse())
  })

  it('answers with those of an action, of a type of target, of a target, of an identity, or of a time', async () => {
    const start = new Date(system.clock.now().getTime() + SECOND)
    system.clock.advance(SECOND)
    const { identityId, action, targetType, targetId, ofIdentity } = await act(admin, next())
    system.clock.advance(SECOND)
    const end = system.clock.now()
    await act(admin, next())
    const actionsOf = async (request: Partial<ListAuditEventsRequest>) => (await list(request)).auditEvents.map((event) => event.action)
    expect(await actionsOf({ targetId })).toEqual([action])
    expect(await actionsOf({ action, startTime: start, endTime: end })).toEqual([action])
    expect(await actionsOf({ targetType, startTime: start, endTime: end })).toEqual([action])
    expect(await actionsOf({ identityId })).toEqual(ofIdentity)
    expect(await actionsOf({ identityId, action })).toEqual([])
    expect(idsOf(await list({ identityId: system.admin.identityId, startTime: start }))).toEqual(idsOf(await list({ startTime: start })))
    expect(await actionsOf({ startTime: end, targetId })).toEqual([])
    expect(await actionsOf({ endTime: start, targetId })).toEqual([])
  })

  it('answers page by page, with every event once', async () => {
    const all = idsOf(await list({ pageSize: 200 }))
    const found: string[] = []
    let pageToken = ''
    do {
      const page = await list({ pageSize: 3, pageToken })
      expect(page.auditEvents.length).toBeLessThanOrEqual(3)
      found.push(...idsOf(page))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    expect(found).toEqual(all)
    expect(all.length).toBeGreaterThan(6)
  })

  it('answers with nothing of another organization, whatever is asked for', async () => {
    const other = await system.session(await system.newOrganization())
    const { identityId, targetId } = await act(other, next())
    for (const request of [{ targetId }, { identityId }, { targetId: UNKNOWN_ID }]) expect(await list(request)).toEqual({ auditEvents: [], nextPageToken: '' })
    expect(await list({ pageSize: 1 }, other)).toMatchObject({ auditEvents: [{ targetId }] })
  })

  // An organization may have a hundred million events: no call looks through all of them.
  it('answers past any number of events that are not asked for, in pages that may be empty', async () => {
    const { action, targetType, targetId } = await act(admin, next())
    const schema = action === 'CreateBinding' ? 'registry' : 'exchange'
    const copies = `
      insert into ${schema}.audit_event
      select e.organization_id, (left(e.id::text, 13) || '-7fff-bfff-' || lpad(to_hex(n), 12, '0'))::uuid, 'Copied', e.actor_identity_id, e.actor_token_id, e.target_type, gen_random_uuid(), e.details, ''
      from ${schema}.audit_event e, generate_series(1, 5000) n where e.target_id = $1 and e.action = $2`
    await withClient(system.databases.superuserUrl, (client) => client.query(copies, [targetId, action]))
    const asked = { action, targetType, targetId }
    const first = await list(asked)
    const second = await list({ ...asked, pageToken: first.nextPageToken })
    expect([idsOf(first), first.nextPageToken !== '', second.auditEvents.length]).toEqual([[], true, 1])
  })

  it('refuses a request with everything wrong, naming all of it', async () => {
    const time = new Date(-1)
    const wrong = { identityId: 'x', action: 'x y', targetType: 'X', targetId: 'x', startTime: time, endTime: time, pageSize: 201, pageToken: 'y' }
    await expect(list(wrong)).rejects.toMatchObject(invalid('identity_id', 'action', 'target_type', 'target_id', 'start_time', 'end_time', 'page_size', 'page_token'))
  })
}
