import type { Command } from 'commander'
import { DomainError } from '#libs/domain-error.js'
import { CreateIdentityRequest, type Identity } from '#libs/wire/gen/countersign/registry/v1/identity.js'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { ListProjectsRequest } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { parseSeconds } from './duration.js'
import { wrongUsage } from './failure.js'
import { findIdentity, roleNameOf } from './find.js'
import { identityDocument, identityFields } from './identity-message.js'
import { type Destination, makeSecret, withDestination } from './new-secret.js'
import { nextCommand, suggestedFile } from './next-command.js'
import { parseCount } from './pages.js'
import type { Session } from './session.js'
import { record } from './table.js'
import { attachOrGoOn } from './universal-auth.js'

type Options = {
  readonly role?: string
  readonly universalAuth?: boolean
  readonly ttl?: number
  readonly maxTtl?: number
  readonly secretTtl?: number
  readonly secretUses?: number
  readonly credentialsFile?: string
}

type Wanted = Options & { readonly name: string }

export function addIdentityCreate(parent: Command, run: Run): void {
  const command = addCommand(parent, {
    usage: 'create <name>',
    description: 'Makes an identity; with --universal-auth also a client id and a client secret. It may be repeated when it failed half way.',
    example: 'identity create web --role no-access --universal-auth --credentials-file web.json',
  })
  command
    .option('--role <role>', 'its role in the organization; without it, no-access')
    .option('--universal-auth', 'let it log in with a client id and a client secret')
    .option('--ttl <time>', 'how long its access tokens live: seconds, or 10m, 1h, 2d', parseSeconds)
    .option('--max-ttl <time>', 'the longest over all renewals', parseSeconds)
    .option('--secret-ttl <time>', 'how long the client secret may be used; without it, for ever', parseSeconds)
    .option('--secret-uses <number>', 'how many logins the client secret allows; without it, any number', parseCount)
    .option('--credentials-file <file>', 'write client id and secret to this new file (mode 0600) in place of printing the secret')
    .action((name: string, options: Options) => run(command, (shell) => createIdentity(shell, { ...options, name })))
}

async function createIdentity(shell: Shell, wanted: Wanted): Promise<Answer> {
  if (wanted.universalAuth) return withDestination(wanted.credentialsFile, shell, (destination) => withSecret(shell, wanted, destination))
  assertNeedsNoMethod(wanted)
  const { name } = wanted
  const identity = await newIdentity(shell.session(), wanted)
  return {
    document: identityDocument(identity),
    ids: [identity.id],
    lines: record(identityFields(identity)),
    next: nextCommand('identity', 'create', name, '--universal-auth', '--credentials-file', suggestedFile(name)),
  }
}

function assertNeedsNoMethod({ ttl, maxTtl, secretTtl, secretUses, credentialsFile }: Options): void {
  if (credentialsFile !== undefined) {
    throw wrongUsage('--credentials-file names the file to write and needs --universal-auth; to act with a file, put it before `identity`.')
  }
  const isSet = [ttl, maxTtl, secretTtl, secretUses].some((value) => value !== undefined)
  if (isSet) throw wrongUsage('--ttl, --max-ttl, --secret-ttl and --secret-uses need --universal-auth.')
}

async function withSecret(shell: Shell, wanted: Wanted, destination: Destination): Promise<Answer> {
  const session = shell.session()
  const { identity, isNew } = await newOrExisting(shell, wanted)
  try {
    const lifetimes = { accessTokenTtlSeconds: wanted.ttl, accessTokenMaxTtlSeconds: wanted.maxTtl }
    const universalAuth = await attachOrGoOn(shell, identity, lifetimes)
    const secret = await makeSecret(session, { identity, ttlSeconds: wanted.secretTtl, useLimit: wanted.secretUses }, destination)
    return {
      document: { ...identityDocument(identity), universalAuth, ...secret.document },
      ids: [identity.id],
      lines: [...record([...identityFields(identity), ...secret.fields]), ...secret.notes],
      next: () => bindCommand(session, identity),
    }
  } catch (error) {
    const wayOn = 'once the cause is gone, the same command goes on from there'
    if (isNew) shell.tell(`Identity ${identity.name} was made, its credentials were not: ${wayOn}.`)
    throw error
  }
}

async function newIdentity(session: Session, { name, role }: Wanted): Promise<Identity> {
  const roleName = role === undefined ? '' : await roleNameOf(session, role, '')
  return session.call('registry', registry.createIdentity, CreateIdentityRequest.fromPartial({ name, role: roleName }))
}

async function newOrExisting(shell: Shell, wanted: Wanted): Promise<{ identity: Identity; isNew: boolean }> {
  const session = shell.session()
  try {
    return { identity: await newIdentity(session, wanted), isNew: true }
  } catch (error) {
    if (!(error instanceof DomainError) || error.reason !== 'IDENTITY_NAME_TAKEN') throw error
  }
  const identity = await findIdentity(session, wanted.name)
  shell.tell(`Identity ${identity.name} exists already: going on with it; its roles stay as they are.`)
  return { identity, isNew: false }
}

/** Binds to a project that exists; a hint must not turn what was done into a failure. */
async function bindCommand(session: Session, { name }: Identity): Promise<string> {
  try {
    const { projects } = await session.call('registry', registry.listProjects, ListProjectsRequest.fromPartial({ pageSize: 1 }))
    const [project] = projects
    if (!project) return nextCommand('project', 'create', 'NAME')
    return nextCommand('binding', 'create', name, '--project', project.name, '--role', 'viewer')
  } catch {
    return nextCommand('binding', 'create', name, '--project', 'PROJECT', '--role', 'viewer')
  }
}
