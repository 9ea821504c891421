import { type SigningKey, SigningKeyState } from '#libs/wire/gen/countersign/exchange/v1/internal.js'
import type { Cell } from './table.js'

const states = new Map<SigningKeyState, string>([
  [SigningKeyState.PREPARED, 'prepared'],
  [SigningKeyState.ACTIVE, 'active'],
  [SigningKeyState.RETIRED, 'retired'],
])

export const stateOf = ({ state }: SigningKey): string => states.get(state) ?? 'unknown'

export const HEADINGS = ['KEY', 'STATE', 'SIGNS FROM', 'SIGNED UNTIL', 'GONE', 'ENCRYPTED UNDER'] as const

export const rowOf = (key: SigningKey): Cell[] => [key.kid, stateOf(key), key.activateTime, key.retireTime, key.removeTime, key.keyEncryptionKeyId]

export const toDocument = (key: SigningKey) => ({ ...key, state: stateOf(key) })
