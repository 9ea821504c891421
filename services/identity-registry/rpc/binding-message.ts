import { optionalTime, roleName } from '#libs/fields.js'
import type { Violations } from '#libs/domain-error.js'
import { Binding as BindingMessage, type BoundRole as BoundRoleMessage } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import type { Binding, BoundRole } from '../domain/binding.js'

const MAX_ROLES = 20

export const toBindingMessage = (binding: Binding, roles: readonly BoundRole[]): BindingMessage =>
  BindingMessage.fromPartial({
    ...binding,
    projectId: binding.projectId ?? '',
    roles: roles.map(({ role, roleId, startTime, endTime }) => ({
      role,
      roleId,
      ...(startTime && { startTime }),
      ...(endTime && { endTime }),
    })),
  })

/** A role to bind, by name, and its window. */
export type RoleToBind = Omit<BoundRole, 'roleId'>

export function rolesToBind(messages: readonly BoundRoleMessage[], wrong: Violations): RoleToBind[] {
  if (messages.length === 0 || messages.length > MAX_ROLES) wrong.at('roles')(`must be 1 to ${MAX_ROLES}`)
  return messages.map(({ role, startTime, endTime }, index) => {
    const at = (field: string) => wrong.at(`roles[${index}].${field}`)
    if (messages.findIndex((other) => other.role === role) < index) at('role')('must not be named twice')
    if (startTime && endTime && startTime >= endTime) at('end_time')('must be later than start_time')
    return {
      role: roleName(role, at('role')),
      startTime: optionalTime(startTime, at('start_time')) ?? null,
      endTime: optionalTime(endTime, at('end_time')) ?? null,
    }
  })
}

export const withIds = (roles: readonly RoleToBind[], roleIds: readonly string[]): BoundRole[] =>
  roles.map((role, index) => ({ ...role, roleId: roleIds[index] ?? '' }))
