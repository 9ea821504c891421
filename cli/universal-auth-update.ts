import type { Command } from 'commander'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { UpdateUniversalAuthRequest } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, several, type Shell } from './command.js'
import { parseSeconds } from './duration.js'
import { wrongUsage } from './failure.js'
import { identityIdOf } from './find.js'
import { parseCount } from './pages.js'
import { universalAuthAnswer } from './universal-auth-message.js'

type Options = {
  readonly ttl?: number
  readonly maxTtl?: number
  readonly uses?: number
  readonly period?: number
  readonly from?: readonly string[]
  readonly loginFrom?: readonly string[]
  readonly lockout?: boolean
  readonly lockoutThreshold?: number
  readonly lockoutDuration?: number
  readonly lockoutReset?: number
}

export function addUniversalAuthUpdate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'update <identity>',
    description: 'Changes what is given of how an identity logs in; tokens that were issued keep what they were issued with, but for --from.',
    example: 'universal-auth update web --ttl 10m --login-from 10.0.0.0/8 --login-from 2001:db8::/32',
  })
  command
    .option('--ttl <time>', 'how long its access tokens live: seconds, or 10m, 1h, 2d; 0: as long as the server allows', parseSeconds)
    .option('--max-ttl <time>', 'the longest over all renewals; 0: as long as the server allows', parseSeconds)
    .option('--uses <number>', 'how many questions may be asked with a token; 0: any number', parseCount)
    .option('--period <time>', 'how long each of its tokens lives where they may be renewed without end; 0: they may not', parseSeconds)
    .option('--from <cidr>', 'an address or a range from where tokens may be used; may be repeated, and replaces them all', several)
    .option('--login-from <cidr>', 'an address or a range from where it may log in; may be repeated, and replaces them all', several)
    .option('--lockout <on|off>', 'whether its failed logins are slowed', parseOnOff)
    .option('--lockout-threshold <number>', 'how many failures in a row are answered as any other', parseCount)
    .option('--lockout-duration <time>', 'for how long further failures are then refused unseen', parseSeconds)
    .option('--lockout-reset <time>', 'how long without a failure until they are forgotten', parseSeconds)
    .action((identity: string, options: Options) => run(command, (shell) => updateUniversalAuth(shell, identity, options)))
}

async function updateUniversalAuth(shell: Shell, identity: string, options: Options): Promise<Answer> {
  const isGiven = [options.ttl, options.maxTtl, options.uses, options.period, options.from, options.loginFrom, ...Object.values(lockoutOf(options))]
  if (isGiven.every((value) => value === undefined)) throw wrongUsage('Say what to change: --ttl, --max-ttl, --uses, --period, --from, --login-from or --lockout.')
  const session = shell.session()
  const request = UpdateUniversalAuthRequest.fromPartial({
    identityId: await identityIdOf(session, identity),
    accessTokenTtlSeconds: options.ttl,
    accessTokenMaxTtlSeconds: options.maxTtl,
    accessTokenUseLimit: options.uses,
    accessTokenPeriodSeconds: options.period,
    ...(options.from && { accessTokenTrustedIps: { cidrs: [...options.from] } }),
    ...(options.loginFrom && { clientSecretTrustedIps: { cidrs: [...options.loginFrom] } }),
    lockout: lockoutOf(options),
  })
  return universalAuthAnswer(identity, await session.call('exchange', exchange.updateUniversalAuth, request))
}

const lockoutOf = ({ lockout, lockoutThreshold, lockoutDuration, lockoutReset }: Options) =>
  ({ enabled: lockout, threshold: lockoutThreshold, durationSeconds: lockoutDuration, counterResetSeconds: lockoutReset })

function parseOnOff(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw wrongUsage('--lockout is on or off.')
  return text === 'on'
}
