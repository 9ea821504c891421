import { Redis } from 'ioredis'
import { connectionProblem, type StoreTls } from '../store-tls.js'
import { connectorBy, type Place } from './connector.js'
import type { Sentinels } from './redis-url.js'

/** One that is silent for so long is not waited for. */
const ANSWERS_WITHIN_MILLIS = 500

/** All are asked, and the first that knows a master is believed: those that are gone cost nothing. */
export async function masterBy({ places, ...sentinels }: Sentinels, tls: StoreTls | undefined): Promise<Place> {
  const problems: string[] = []
  const asked = places.map((place) =>
    ask(place, sentinels, tls).catch((error: unknown) => {
      problems.push(`${place.host}:${place.port}: ${connectionProblem(error)}`)
      throw error
    }),
  )
  return Promise.any(asked).catch(() => {
    throw new Error(`no Sentinel names a master (${problems.join('; ')})`)
  })
}

async function ask(place: Place, { name, sentinelUsername, sentinelPassword }: Omit<Sentinels, 'places'>, tls: StoreTls | undefined): Promise<Place> {
  const client = new Redis({
    ...(sentinelUsername !== undefined && { username: sentinelUsername }),
    ...(sentinelPassword !== undefined && { password: sentinelPassword }),
    ...(tls && { tls }),
    Connector: connectorBy({ tls, find: () => place, closeWithinMillis: ANSWERS_WITHIN_MILLIS }),
    connectTimeout: ANSWERS_WITHIN_MILLIS,
    commandTimeout: ANSWERS_WITHIN_MILLIS,
    socketTimeout: ANSWERS_WITHIN_MILLIS,
    retryStrategy: null,
    enableReadyCheck: false,
    disableClientInfo: true,
  })
  // A command that fails for it says no more than that.
  let lost: Error | undefined
  client.on('error', (error: Error) => (lost = error))
  try {
    const answer = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
    if (!Array.isArray(answer)) throw new Error(`it watches nothing called ${name}`)
    const [masterHost, masterPort] = answer.map(String)
    return { host: masterHost ?? '', port: Number(masterPort) }
  } catch (error) {
    throw lost ?? error
  } finally {
    client.disconnect()
  }
}
