import { z } from 'zod'
import { commandLineVariables } from '../../cli/variables.js'
import { configSchema as migrate } from '../../deploy/database/config.js'
import { startOptions } from '../../deploy/local/options.js'
import { newSecrets } from '../../deploy/local/secrets.js'
import { serviceEnvironments } from '../../deploy/local/services.js'
import { configSchema as exchange } from '../../services/auth-exchange/config.js'
import { configSchema as check } from '../../services/authorization-check/config.js'
import { configSchema as registry } from '../../services/identity-registry/config.js'

// What can be set, found where it is read.

/** `standard` is the default as people read it: `required` where there is none to do without. */
export type Variable = { readonly name: string; readonly standard: string; readonly meaning: string }

export const SERVICES = { 'identity-registry': registry.shape, 'auth-exchange': exchange.shape, 'authorization-check': check.shape } as const

type Shape = Readonly<Record<string, z.ZodType>>

/** Said of the schema, or of what it wraps: `.optional()` and `.default()` begin a new one. */
function descriptionOf(schema: z.core.$ZodType): string {
  const said = z.globalRegistry.get(schema)?.description
  if (said !== undefined) return said
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? descriptionOf(schema.unwrap()) : ''
}

function standardOf(schema: z.ZodType): string {
  const { success, data } = schema.safeParse(undefined)
  if (!success) return 'required'
  return typeof data === 'string' || typeof data === 'number' ? `\`${data}\`` : ''
}

export const variablesOf = (shape: Shape): Variable[] =>
  Object.entries(shape).map(([name, schema]) => ({ name, standard: standardOf(schema), meaning: descriptionOf(schema) }))

export type Group = { readonly readers: readonly string[]; readonly variables: readonly Variable[] }

/** The variables of the services by who reads them; what most read comes first. */
export function serviceGroups(): Group[] {
  const groups = new Map<string, Map<string, Variable>>()
  for (const shape of Object.values(SERVICES)) {
    for (const variable of variablesOf(shape)) {
      const readers = Object.entries(SERVICES).filter(([, other]) => variable.name in other).map(([name]) => name).join(', ')
      groups.set(readers, (groups.get(readers) ?? new Map<string, Variable>()).set(variable.name, variable))
    }
  }
  return [...groups]
    .map(([readers, variables]) => ({ readers: readers.split(', '), variables: [...variables.values()] }))
    .sort((one, other) => other.readers.length - one.readers.length)
}

/** Those that it alone reads; the others mean what they mean for the services. */
export const migrateVariables = (): Variable[] => variablesOf(migrate.shape).filter(({ name }) => !(name in registry.shape))

export const commandLine = (): Variable[] => Object.entries(commandLineVariables).map(([name, meaning]) => ({ name, standard: '', meaning }))

export const startOptionRows = (): Variable[] =>
  Object.entries(startOptions).map(([name, { argument, standard, meaning }]) => ({ name: `--${name}${argument}`, standard: standard && `\`${standard}\``, meaning }))

/** What `npm start` sets for the services, whatever the environment says. */
export function setByStart(): string[] {
  const own = Object.values(serviceEnvironments({ registryUrl: '', exchangeUrl: '', redisUrl: '', secrets: newSecrets() }))
  // It finds the services itself, and looks at REDIS_URL before it sets it.
  const addresses = ['CHECK_ADDRESS', 'REGISTRY_INTERNAL_ADDRESS', 'EXCHANGE_INTERNAL_ADDRESS']
  return [...new Set([...own.flatMap((variables) => Object.keys(variables)), ...addresses])].filter((name) => name !== 'REDIS_URL')
}
