import type { Command } from 'commander'
import { z } from 'zod'
import { readConfig, redisFiles } from '#libs/env.js'
import { createLog } from '#libs/log.js'
import { redisPlace } from '#libs/redis/place.js'
import { redisUrl } from '#libs/redis/redis-url.js'
import { macKeys } from '#libs/redis/sealed.js'
import type { Answer } from './answer.js'
import { pemFrom } from './channel.js'
import { addCommand, type Run, type Shell } from './command.js'
import { databaseToLookAt } from './database.js'
import { lookAtDatabase } from './doctor/database.js'
import type { Finding, Outcome } from './doctor/finding.js'
import { askedFindings, metricsFindings } from './doctor/freshness.js'
import { redisFindings } from './doctor/redis.js'
import { serviceFindings } from './doctor/services.js'
import { peppersFinding, signingKeysFinding } from './doctor/signing-keys.js'
import { printable } from './table.js'

// What an operator wants to know first: is everything there, and as it should be.

const settings = z.object({
  REDIS_URL: redisUrl,
  ...redisFiles,
  REDIS_MAC_KEYS: macKeys.optional(),
  COUNTERSIGN_METRICS: z.string().transform((text) => text.split(',').filter((address) => address !== '')).default([]),
})

type Options = { readonly strict?: boolean }

export function addDoctor(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'doctor',
    description: 'Looks at the services, PostgreSQL and Redis, says what is not as it should be, and what to do. Exit code 1 where something fails.',
    example: 'doctor --strict',
  })
  command.option('--strict', 'let warnings count as failures').action((options: Options) => run(command, (shell) => doctor(shell, options)))
}

async function doctor(shell: Shell, { strict = false }: Options): Promise<Answer> {
  const { context, environment } = shell
  const given = readConfig(settings, environment)
  const database = await lookAtDatabase(databaseToLookAt(shell))
  const findings = [
    ...(await serviceFindings(context, pemFrom(environment))),
    ...database.findings,
    await signingKeysFinding(shell, database),
    peppersFinding(shell, database),
    // A replica that was asked has pulled just now: its metrics then tell something.
    ...(await askedFindings(shell, database.heads)),
    ...(await metricsFindings(given.COUNTERSIGN_METRICS)),
    ...(await redisFindings({ place: redisPlace({ ...given, REDIS_URL: given.REDIS_URL ?? context.stores.redis }, createLog({ service: 'doctor', level: 'silent' })), macKeys: given.REDIS_MAC_KEYS })),
  ]
  const count = (outcome: Outcome) => findings.filter((finding) => finding.outcome === outcome).length
  const isFailed = count('failure') > 0 || (strict && count('warning') > 0)
  const total = `${count('ok')} ok, ${count('warning')} warnings, ${count('failure')} failures, ${count('not-looked-at')} not looked at`
  return {
    document: { healthy: !isFailed, findings: findings.map(({ outcome, ...finding }) => ({ outcome: outcome.replaceAll('-', '_'), ...finding })) },
    ids: findings.filter(({ outcome }) => outcome !== 'ok').map(({ check }) => check),
    lines: [...findings.flatMap(linesOf), '', total],
    exitCode: isFailed ? 1 : 0,
  }
}

const words: Readonly<Record<Outcome, string>> = { ok: 'ok', warning: 'WARNING', failure: 'FAILURE', 'not-looked-at': '-' }

const linesOf = ({ check, outcome, seen, advice }: Finding): string[] => [
  printable(`${words[outcome].padEnd(7)}  ${check.padEnd(30)}  ${seen}`),
  ...(advice === undefined ? [] : [printable(`${' '.repeat(41)}→ ${advice}`)]),
]
