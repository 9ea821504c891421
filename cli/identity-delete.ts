import type { Command } from 'commander'
import { DeleteIdentityRequest } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { addCommand, type Run } from './command.js'
import { identityIdOf } from './find.js'

export function addIdentityDelete(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'delete <identity>',
    description: 'Deletes an identity, named by name or id, with its bindings, credentials and tokens.',
    example: 'identity delete web',
  })
  command.action((nameOrId: string) =>
    run(command, async (shell) => {
      const session = shell.session()
      const id = await identityIdOf(session, nameOrId)
      await session.call('registry', registry.deleteIdentity, DeleteIdentityRequest.fromPartial({ id }))
      return { document: { id, deleted: true }, ids: [id], lines: [`deleted identity ${id}`] }
    }),
  )
}
