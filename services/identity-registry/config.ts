import { z } from 'zod'
import { port } from '#libs/env.js'
import { everyOwner, everyService } from '#libs/variables.js'

/** The environment of identity-registry; docs/configuration.md is made of it. */
export const configSchema = z.object({
  REGISTRY_PORT: port(50_051).describe('public port; `0` takes a free one'),
  REGISTRY_INTERNAL_PORT: port(50_061).describe('internal port'),
  ...everyOwner,
  ...everyService,
})

export type Config = z.output<typeof configSchema>
