import { z } from 'zod'
import type { AskedRules } from '../../domain/asked-assertion-rules.js'
import type { AssertionRules } from '../../domain/assertion-rules.js'

/** Rules as they are stored. */
export const storedRules = z.object({
  issuer: z.string(),
  audiences: z.array(z.string()).min(1),
  subject: z.string().optional(),
  claims: z.array(z.object({ path: z.string(), globs: z.array(z.string()).min(1) })),
  maxLifeSeconds: z.number(),
  mappedClaims: z.array(z.object({ name: z.string(), path: z.string() })),
})

/** Rules as they were asked for. */
export const askedRules = ({ issuer, audiences, subject, claims, maxLifeSeconds, mappedClaims }: AssertionRules) => ({
  issuer,
  audiences: [...audiences],
  subject: subject ?? '',
  boundClaims: claims.map(({ path, globs }) => ({ path, globs: [...globs] })),
  maxAssertionLifeSeconds: maxLifeSeconds,
  mappedClaims: Object.fromEntries(mappedClaims.map(({ name, path }) => [name, path])),
}) satisfies AskedRules
