import { setTimeout as sleep } from 'node:timers/promises'
import { AuthorizationCheckServiceService as Check, type Consistency } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { DomainError } from '#libs/domain-error.js'
import { makeWorkload, type Workload } from '../support/builders.js'
import type { Member } from '../support/fleet.js'
import type { Session } from '../support/system.js'
import { BOUNDED } from './consistency.js'
import { answerOf, type Recorder } from './recorder.js'
import { QUESTION } from './registry-calls.js'
import { NO_ANSWER } from './history.js'
import type { World } from './world.js'

const CALL_MILLIS = 1_000
const AGAIN_AFTER_MILLIS = 25
const PATIENCE_MILLIS = 20_000

/** Finds out when everything is answered correctly again, at every replica: a login, a change, a check, a revocation. */
export class Probe {
  /** Where the last round went wrong. */
  #trouble = ''
  /** Who was last asked and had no answer. */
  #silent: readonly string[] = []

  private constructor(
    private readonly world: World,
    private readonly recorder: Recorder,
    readonly workload: Workload,
  ) {}

  static async create(world: World, recorder: Recorder): Promise<Probe> {
    return new Probe(world, recorder, await makeWorkload(sessionIn(world), { name: 'probe', role: 'viewer' }))
  }

  /** How long it took, from `since` on, and what was last in the way. */
  async untilCorrect(since: number): Promise<{ millis: number; last: string }> {
    let last = ''
    for (;;) {
      const answers = await this.#round().catch(answerOf)
      const millis = this.recorder.now() - since
      if (answers === '' || millis > PATIENCE_MILLIS) return { millis, last: `${this.#trouble}${last}${this.#silent.length > 0 ? `, by ${this.#silent.join(', ')}` : ''}` }
      last = answers
      if (answers !== NO_ANSWER) this.recorder.note({ type: 'refused', what: 'the probe', answer: answers })
      await sleep(AGAIN_AFTER_MILLIS)
    }
  }

  /** Empty where all was as it has to be. */
  async #round(): Promise<string> {
    const { fleet } = this.world
    const all = [...fleet.exchanges.map((exchange) => this.#throughExchange(exchange)), ...fleet.registries.map((registry) => this.#changeAt(registry))]
    const answers = await Promise.all(all.map((one) => one.catch(answerOf)))
    const names = [...fleet.exchanges, ...fleet.registries].map(({ name }) => name)
    if (answers.some((answer) => answer !== '')) this.#trouble = `through ${names.filter((_name, place) => answers[place] !== '').join(', ')}: `
    return answers.find((answer) => answer !== '' && answer !== NO_ANSWER) ?? answers.find((answer) => answer !== '') ?? ''
  }

  async #throughExchange(exchange: Member): Promise<string> {
    const calls = this.world.at(exchange)
    const { clientId, clientSecret } = this.workload
    const { accessToken } = await calls(Exchange.login, { proof: { $case: 'universalAuth', value: { clientId, clientSecret } } }, CALL_MILLIS)
    const before = await this.#everywhere(accessToken, BOUNDED)
    if (before !== 'allow') return before
    const { revision } = await calls(Exchange.revokeAccessToken, { target: { $case: 'accessToken', value: accessToken } }, CALL_MILLIS)
    const after = await this.#everywhere(accessToken, { level: { $case: 'atLeast', value: revision } })
    return after === 'rejected' ? '' : after
  }

  /** What all replicas answer alike; where they differ, what is not expected of a good token. */
  async #everywhere(accessToken: string, consistency: Consistency): Promise<string> {
    const request = { accessToken, projectId: '', action: QUESTION.action, resource: { type: QUESTION.resource, attributes: {} }, consistency, context: {}, sourceAddress: '' }
    const answers = await Promise.all(this.world.fleet.checks.map((check) => this.world.at(check)(Check.check, request, CALL_MILLIS).then(({ allowed }) => (allowed ? 'allow' : 'deny'), rejectedOr)))
    const [first = ''] = answers
    this.#silent = this.world.fleet.checks.filter((_check, place) => answers[place] === NO_ANSWER).map(({ name }) => name)
    return answers.every((answer) => answer === first) ? first : (answers.find((answer) => answer === NO_ANSWER) ?? answers.join(', '))
  }

  async #changeAt(registry: Member): Promise<string> {
    const { token } = this.world.organizations[0]
    await this.world.at(registry, token)(Registry.updateOrganization, { name: `probed-${this.recorder.nextId()}`, etag: '' }, CALL_MILLIS)
    return ''
  }
}

/** The first organization's admin, at the first replicas. */
export function sessionIn(world: World): Session {
  const { token } = world.organizations[0]
  const [registry, exchange, check] = [world.fleet.registries[0], world.fleet.exchanges[0], world.fleet.checks[0]]
  if (!registry || !exchange || !check) throw new Error('a fleet without replicas')
  return { token, tokenId: '', registry: world.at(registry, token), exchange: world.at(exchange, token), check: world.at(check, token) }
}

const rejectedOr = (error: unknown): string => (error instanceof DomainError && error.reason === 'ACCESS_TOKEN_REJECTED' ? 'rejected' : answerOf(error))
