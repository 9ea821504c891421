import type { Binding, BoundRole } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { record, timeText } from './table.js'

/** `viewer`, `viewer from 2026-01-01T00:00:00Z until 2026-02-01T00:00:00Z`. */
function boundRoleText({ role, startTime, endTime }: BoundRole): string {
  const start = startTime ? [`from ${timeText(startTime)}`] : []
  const end = endTime ? [`until ${timeText(endTime)}`] : []
  return [role, ...start, ...end].join(' ')
}

export const boundRolesText = ({ roles }: Binding): string => roles.map(boundRoleText).join(', ')

/** A binding as it is shown after a change, by the names that were typed. */
export function bindingLines(binding: Binding, { identity, project }: { identity: string; project: string | undefined }): string[] {
  const scope = project === undefined ? 'the organization' : `project ${project}`
  return record([['id', binding.id], ['identity', identity], ['in', scope], ['roles', boundRolesText(binding)]])
}
