import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { Failure, wrongUsage } from './failure.js'
import type { Tell } from './read-text.js'
import type { Environment } from './variables.js'

// Which installation a command is for: each address and the credentials file are taken from the environment, or else from
// the context file, or else, where there is none, from the `.countersign/` of `npm start` here or in a parent folder.

export type Service = 'registry' | 'exchange' | 'check'

export const serviceNames: Readonly<Record<Service, string>> = {
  registry: 'identity-registry',
  exchange: 'auth-exchange',
  check: 'authorization-check',
}

const variables: Readonly<Record<Service, keyof Environment>> = {
  registry: 'COUNTERSIGN_REGISTRY',
  exchange: 'COUNTERSIGN_EXCHANGE',
  check: 'COUNTERSIGN_CHECK',
}

const addresses = z.object({ registry: z.string().optional(), exchange: z.string().optional(), check: z.string().optional() })
const stores = z.object({ database: z.string().optional(), redis: z.string().optional(), exchangeInternal: z.string().optional(), operatorCredential: z.string().optional() })
const contextFile = addresses.extend({ credentialsFile: z.string().optional() })

type Place = {
  readonly source: string
  readonly addresses: z.output<typeof addresses>
  readonly credentialsFile: string | undefined
  readonly tokensFile: string | undefined
  readonly stores: Stores
  /** Why an address that is not here can't be known. */
  missing(service: Service): Failure
}

/** Where `npm start` keeps things, URLs with their passwords, and how its operator is known. */
export type Stores = z.output<typeof stores>

export type Context = {
  /** Where addresses come from, for people. */
  readonly source: string
  /** Fails where the address is nowhere to be found. */
  addressOf(service: Service): string
  readonly credentialsFile: string | undefined
  readonly tokensFile: string
  /** Of the installation of this folder; elsewhere the environment says. */
  readonly stores: Stores
}

export function findContext(environment: Environment, folder: string, warn: Tell): Context {
  const place = fromContextFile(environment) ?? fromFolder(folder, warn) ?? nowhere
  const set = Object.values(variables).filter((name) => environment[name])
  return {
    source: [...(set.length > 0 ? [set.join(', ')] : []), ...(place.source === '' ? [] : [place.source])].join('; '),
    addressOf: (service) => {
      const address = environment[variables[service]] || place.addresses[service]
      if (!address) throw place.missing(service)
      return address
    },
    credentialsFile: environment.COUNTERSIGN_CREDENTIALS_FILE || place.credentialsFile,
    tokensFile: place.tokensFile ?? join(environment.XDG_CACHE_HOME || join(homeOf(environment), '.cache'), 'countersign', 'tokens.json'),
    stores: place.stores,
  }
}

const homeOf = (environment: Environment): string => environment.HOME || homedir()

const nowhere: Place = {
  source: '',
  addresses: {},
  credentialsFile: undefined,
  tokensFile: undefined,
  stores: {},
  missing: (service) =>
    wrongUsage(`No Countersign found here: start it with \`npm start\`, or set ${variables[service]} to the host:port of ${serviceNames[service]}.`),
}

function fromContextFile(environment: Environment): Place | undefined {
  const named = environment.COUNTERSIGN_CONTEXT_FILE
  const path = named || join(environment.XDG_CONFIG_HOME || join(homeOf(environment), '.config'), 'countersign', 'context.json')
  if (!existsSync(path)) {
    if (named) throw wrongUsage(`${path}, which COUNTERSIGN_CONTEXT_FILE names, is not there.`)
    return undefined
  }
  const { credentialsFile, ...found } = readJson(path, contextFile)
  return {
    source: path,
    addresses: found,
    credentialsFile: credentialsFile === undefined ? undefined : resolve(dirname(path), credentialsFile),
    tokensFile: undefined,
    stores: {},
    missing: (service) => wrongUsage(`${path} does not say where ${serviceNames[service]} is: add "${service}", or set ${variables[service]}.`),
  }
}

function fromFolder(start: string, warn: Tell): Place | undefined {
  const folder = foldersUpwards(start)
    .map((each) => join(each, '.countersign'))
    .find((each) => existsSync(each) && isTrusted(each, warn))
  if (folder === undefined) return undefined
  const file = join(folder, 'addresses.json')
  const admin = join(folder, 'admin.json')
  const storesFile = join(folder, 'stores.json')
  return {
    source: folder,
    addresses: existsSync(file) ? readJson(file, addresses) : {},
    credentialsFile: existsSync(admin) ? admin : undefined,
    tokensFile: join(folder, 'tokens.json'),
    stores: existsSync(storesFile) ? readJson(storesFile, stores) : {},
    missing: (service) => notRunning(file, service),
  }
}

function notRunning(file: string, service: Service): Failure {
  const message = `${file} does not name ${serviceNames[service]}: Countersign is not running. Start it with \`npm start\`.`
  return new Failure({ exitCode: 3, reason: 'NOT_RUNNING', message })
}

const foldersUpwards = (folder: string): string[] => (dirname(folder) === folder ? [folder] : [folder, ...foldersUpwards(dirname(folder))])

// Whoever may write in a parent folder, /tmp for one, could otherwise have our credentials sent to addresses of their choice.
function isTrusted(folder: string, warn: Tell): boolean {
  const stat = statSync(folder)
  if (!stat.isDirectory()) return false
  const me = process.getuid?.() ?? 0
  if (me === 0 || stat.uid === me || stat.uid === 0) return true
  warn(`warning: ${folder} belongs to another user: it is not used`)
  return false
}

/** What a JSON file holds, as the schema wants it. */
export function readJson<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(parse(path))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw wrongUsage(`${path} is not as it should be: ${problems.join('; ')}`)
}

function parse(path: string): unknown {
  const text = readOrRefuse(path)
  try {
    return JSON.parse(text)
  } catch {
    throw wrongUsage(`${path} is not JSON.`)
  }
}

function readOrRefuse(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw wrongUsage(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
