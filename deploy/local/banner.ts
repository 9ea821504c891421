import { relative } from 'node:path'
import type { DataFolder } from './data-folder.js'
import type { ServiceAddresses } from './services.js'

/** What a person sees when everything runs: where it is, and what to type next. */
export function banner({ registry, exchange, check }: ServiceAddresses, folder: DataFolder, redis: string): string {
  const near = (path: string) => {
    const short = relative(process.cwd(), path)
    return short.startsWith('..') ? path : short
  }
  return `
  Countersign is running.

    identity-registry     ${registry}
    auth-exchange         ${exchange}
    authorization-check   ${check}
    Redis                 ${redis}

    admin credentials     ${near(folder.admin)}
    data and logs         ${near(folder.path)}

  Try next, in another terminal:

    npx countersign whoami
    npx countersign project create shop
    npx countersign identity create billing --universal-auth --credentials-file billing.json

  Ctrl-C stops everything.
`
}

/** The same for programs, in one line. There is no HTTP edge yet. */
export const readyLine = ({ registry, exchange, check }: ServiceAddresses, folder: DataFolder): string =>
  JSON.stringify({ http: null, registry, exchange, check, admin: folder.admin })
