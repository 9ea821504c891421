import type { Binding, BoundRole } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { timeText } from './table.js'

/** `viewer`, `viewer from 2026-01-01T00:00:00Z until 2026-02-01T00:00:00Z`. */
function boundRoleText({ role, startTime, endTime }: BoundRole): string {
  const start = startTime ? [`from ${timeText(startTime)}`] : []
  const end = endTime ? [`until ${timeText(endTime)}`] : []
  return [role, ...start, ...end].join(' ')
}

export const boundRolesText = ({ roles }: Binding): string => roles.map(boundRoleText).join(', ')
