import { z } from 'zod'
import { address, port, whole } from '#libs/env.js'
import { everyAsker, everyService } from '#libs/variables.js'

/** The environment of authorization-check; docs/configuration.md is made of it. */
export const configSchema = z.object({
  CHECK_PORT: port(50_053).describe('public port; `0` takes a free one'),
  CHECK_SOCKET: z.string().min(1).optional().describe('path of a Unix socket to listen on instead of a port'),
  EXCHANGE_INTERNAL_ADDRESS: address.describe("`host:port` of auth-exchange's internal listener"),
  ...everyAsker,
  CACHE_MEGABYTES: whole(64, 1, 16_384).describe('1 to 16384: memory for copies of tokens, grants and roles, a third for each; a sixteenth more for principals'),
  ...everyService,
})

export type Config = z.output<typeof configSchema>
