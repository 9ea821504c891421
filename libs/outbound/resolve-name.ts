import { Resolver } from 'node:dns/promises'

/** The addresses of a host, none where it has none. */
export type ResolveName = (host: string) => Promise<readonly string[]>

const TIMEOUT_MILLIS = 1_000
const TRIES = 2

/** Asks the name servers of the machine for the whole name: a search list or a hosts file could give it another meaning here, and a slow answer takes no thread. */
export async function resolveName(host: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: TIMEOUT_MILLIS, tries: TRIES })
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}
