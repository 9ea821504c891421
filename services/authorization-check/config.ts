import { z } from 'zod'
import { address, optionalPort, port, whole } from '#libs/env.js'
import { everyAsker, everyService } from '#libs/variables.js'

/** The environment of authorization-check; docs/configuration.md is made of it. */
export const configSchema = z.object({
  CHECK_PORT: port(50_053).describe('public port; `0` takes a free one'),
  CHECK_SOCKET: z.string().min(1).optional().describe('path of a Unix socket to listen on instead of a port: in plain text, for whoever can reach the file, whatever TLS the peers are spoken to with'),
  RELAY_PORT: optionalPort.describe(
    'serves both change feeds to sidecars on this port of `HOST`, as they were pulled here, to whom `INTERNAL_CALLERS` lets; 0 takes a free one. Needs TLS unless `HOST` is a loopback address. Without it there is no such listener',
  ),
  RELAY_ADDRESS: address.optional().describe(
    '`host:port` of the relay (`RELAY_PORT`) of another authorization-check: the change feeds are pulled from there and not from their owners. For sidecars, which may be thousands',
  ),
  EXCHANGE_INTERNAL_ADDRESS: address.describe("`host:port` of auth-exchange's internal listener"),
  ...everyAsker,
  CACHE_MEGABYTES: whole(64, 1, 16_384).describe('1 to 16384: memory for copies of tokens, grants and roles, a third for each; a sixteenth more for principals'),
  ...everyService,
})

export type Config = z.output<typeof configSchema>
