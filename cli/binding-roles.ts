import { type Command, Option } from 'commander'
import { systemClock } from '#libs/clock.js'
import type { BoundRole } from '#libs/wire/gen/countersign/registry/v1/binding.js'
import { several } from './command.js'
import { parseMoment } from './duration.js'
import { roleNameOf } from './find.js'
import type { Session } from './session.js'

/** Which roles a binding gives, and from when until when. */
export type RoleOptions = { readonly role: readonly string[]; readonly from?: Date; readonly until?: Date }

export function addRoleOptions(command: Command): Command {
  const moment = (text: string) => parseMoment(text, systemClock.now())
  return command
    .addOption(new Option('--role <role>', 'a role there; repeatable').argParser(several).makeOptionMandatory())
    .option('--from <time>', 'the roles hold from then on: 2030-01-31T09:00:00Z, or 2h from now', moment)
    .option('--until <time>', 'the roles hold until then: 2030-01-31T09:00:00Z, or 2h from now', moment)
}

export async function rolesToBind(session: Session, { role, from, until }: RoleOptions, projectId: string): Promise<BoundRole[]> {
  const names = await Promise.all(role.map((one) => roleNameOf(session, one, projectId)))
  return names.map((name) => ({ role: name, roleId: '', startTime: from, endTime: until }))
}
