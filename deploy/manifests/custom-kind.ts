import { z } from 'zod'

const metadata = z.strictObject({ name: z.string(), namespace: z.string(), labels: z.record(z.string(), z.string()).optional() })

/** The beginning of an object of a kind that is not Kubernetes' own. */
export const of = <Version extends string, Kind extends string>(apiVersion: Version, kind: Kind) => ({ apiVersion: z.literal(apiVersion), kind: z.literal(kind), metadata })
