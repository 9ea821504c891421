import type { Command } from 'commander'
import { several } from './command.js'
import { parseSeconds } from './duration.js'
import { parseCount } from './pages.js'

// What every auth method has, and is asked for with the same options when it is attached and when it is changed.

export type Settings = { readonly ttl?: number; readonly maxTtl?: number; readonly period?: number; readonly uses?: number; readonly trustedIp?: readonly string[] }

export const withSettings = (command: Command): Command =>
  command
    .option('--ttl <time>', 'how long its tokens live: seconds, or 10m, 1h, 2d', parseSeconds)
    .option('--max-ttl <time>', 'the longest over all renewals', parseSeconds)
    .option('--period <time>', 'tokens live for so long each, and are renewed without end; 0: they are not', parseSeconds)
    .option('--uses <number>', 'how many questions a token and its renewals are good for; 0: any number', parseCount)
    .option('--trusted-ip <range>', 'from where tokens may be used, such as 10.0.0.0/8; may be repeated', several)

export const settingsOf = ({ ttl, maxTtl, period, uses, trustedIp }: Settings) => ({
  accessTokenTtlSeconds: ttl,
  accessTokenMaxTtlSeconds: maxTtl,
  accessTokenPeriodSeconds: period,
  accessTokenUseLimit: uses,
  accessTokenTrustedIps: trustedIp && { cidrs: [...trustedIp] },
})
