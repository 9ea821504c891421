import { type Command, Option } from 'commander'
import { systemClock } from '#libs/clock.js'
import { type AuditEvent, ListAuditEventsRequest } from '#libs/wire/gen/countersign/audit/v1/audit_event.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { parsePastMoment } from './duration.js'
import { identityIdOf } from './find.js'
import { identityNamesOf } from './names-of.js'
import { allPages, parseLimit } from './pages.js'
import type { Session } from './session.js'
import { table } from './table.js'

const SERVICES = ['registry', 'exchange'] as const

type Options = {
  readonly service?: (typeof SERVICES)[number]
  readonly identity?: string
  readonly action?: string
  readonly targetType?: string
  readonly target?: string
  readonly since?: Date
  readonly until?: Date
  readonly limit: number
}

export function addAuditList(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'list',
    description: 'Lists what was done in the organization, newest first, as both owners wrote it down.',
    example: 'audit list --identity web --since 2h',
  })
  const moment = (text: string) => parsePastMoment(text, systemClock.now())
  command
    .addOption(new Option('--service <service>', 'only what this service wrote down').choices(SERVICES))
    .option('--identity <identity>', 'only what this identity did, or what was done to it or its auth method')
    .option('--action <action>', 'only this action, as CreateBinding or LoginFailed')
    .option('--target-type <type>', 'only what was done to this type of thing, as client-secret')
    .option('--target <id>', 'only what was done to the thing of this id')
    .option('--since <time>', 'only from then on: 2030-01-31T09:00:00Z, or 2h ago', moment)
    .option('--until <time>', 'only before then', moment)
    .addOption(new Option('--limit <number>', 'stop after this many').argParser(parseLimit).default(50))
    .action((options: Options) => run(command, (shell) => listAudit(shell, options)))
}

async function listAudit(shell: Shell, options: Options): Promise<Answer> {
  const session = shell.session()
  const { service, limit } = options
  const filter = {
    identityId: options.identity === undefined ? '' : await identityIdOf(session, options.identity),
    action: options.action ?? '',
    targetType: options.targetType ?? '',
    targetId: options.target ?? '',
    ...(options.since && { startTime: options.since }),
    ...(options.until && { endTime: options.until }),
  }
  const asked = SERVICES.filter((one) => service === undefined || one === service)
  const lists = await Promise.all(asked.map(async (one) => (await eventsOf(session, one, { filter, limit })).map((event) => ({ service: one, ...event }))))
  // Ids are in order of time, those of both together.
  const events = lists.flat().sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, limit)
  return { document: events, ids: events.map(({ id }) => id), lines: () => auditTable(session, events) }
}

type Asked = { readonly filter: Partial<ListAuditEventsRequest>; readonly limit: number }

const eventsOf = (session: Session, service: (typeof SERVICES)[number], { filter, limit }: Asked): Promise<AuditEvent[]> =>
  allPages(limit, async (page) => {
    const request = ListAuditEventsRequest.fromPartial({ ...filter, ...page })
    const answer = service === 'registry' ? await session.call('registry', registry.listAuditEvents, request) : await session.call('exchange', exchange.listAuditEvents, request)
    return { items: answer.auditEvents, nextPageToken: answer.nextPageToken }
  })

async function auditTable(session: Session, events: readonly AuditEvent[]): Promise<string[]> {
  if (events.length === 0) return ['No events.']
  const nameOf = await identityNamesOf(session, events.map(({ actorIdentityId }) => actorIdentityId))
  const rows = events.map(({ createTime, action, actorIdentityId, targetType, targetId, details }) =>
    [createTime, action, actorIdentityId === '' ? undefined : nameOf(actorIdentityId), targetType, targetId, detailsText(details)])
  return table(['TIME', 'ACTION', 'BY', 'TARGET', 'ID', 'DETAILS'], rows)
}

/** What fits on a line; --json has all of it. */
const detailsText = (details: Readonly<Record<string, unknown>> | undefined): string =>
  Object.entries(details ?? {})
    .flatMap(([name, value]) => (['string', 'number', 'boolean'].includes(typeof value) ? [`${name}=${String(value)}`] : []))
    .join(' ')
