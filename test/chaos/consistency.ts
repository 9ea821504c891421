import type { Consistency } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'

export const BOUNDED: Consistency = { level: { $case: 'bounded', value: {} } }
export const FULL: Consistency = { level: { $case: 'full', value: {} } }
