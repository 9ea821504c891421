import type { Command } from 'commander'
import { addCommand, type Run } from './command.js'
import { findIdentity } from './find.js'
import { identityDocument, identityFields } from './identity-message.js'
import { record } from './table.js'

export function addIdentityGet(parent: Command, run: Run): void {
  const command = addCommand(parent, { usage: 'get <identity>', description: 'Shows an identity, named by name or id.', example: 'identity get web' })
  command.action((nameOrId: string) =>
    run(command, async (shell) => {
      const identity = await findIdentity(shell.session(), nameOrId)
      return { document: identityDocument(identity), ids: [identity.id], lines: record(identityFields(identity)) }
    }),
  )
}
