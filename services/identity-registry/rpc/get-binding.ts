import { Violations } from '#libs/domain-error.js'
import { id as idField, optionalId } from '#libs/fields.js'
import type { Unary } from '#libs/rpc/unary.js'
import type { Binding as BindingMessage, GetBindingRequest } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { assertBoundIn } from '../domain/binding.js'
import type { Reading } from '../ports.js'
import { getBinding as readBinding, listBoundRoles } from '../store/bindings.js'
import { toBindingMessage } from './binding-message.js'

export function getBinding({ db, authorization }: Reading): Unary<GetBindingRequest, BindingMessage> {
  return async (request, call) => {
    const wrong = new Violations()
    const id = idField(request.id, wrong.at('id'))
    const projectId = optionalId(request.projectId, wrong.at('project_id'))
    wrong.refuse()
    const { organizationId } = await authorization.require(call, { action: 'read', resource: 'binding', projectId, attributes: { id } })
    const binding = await readBinding(db, { organizationId, id })
    assertBoundIn(binding, projectId)
    const roles = await listBoundRoles(db, organizationId, [id])
    return toBindingMessage(binding, roles.get(id) ?? [])
  }
}
