import { Command } from 'commander'
import { addAgent } from './agent.js'
import { addAuditList } from './audit-list.js'
import { addAuthMethodAttach } from './auth-method-attach.js'
import { addAuthMethodGet } from './auth-method-get.js'
import { addAuthMethodList } from './auth-method-list.js'
import { addAuthMethodRemove } from './auth-method-remove.js'
import { addAuthMethodUpdate } from './auth-method-update.js'
import { addBindingCreate } from './binding-create.js'
import { addBindingDelete } from './binding-delete.js'
import { addBindingList } from './binding-list.js'
import { addBindingUpdate } from './binding-update.js'
import { addBootstrap } from './bootstrap.js'
import { addCheck } from './check.js'
import { type Run, shareOptions } from './command.js'
import { addDoctor } from './doctor.js'
import { addIdentityCreate } from './identity-create.js'
import { addIdentityDelete } from './identity-delete.js'
import { addIdentityGet } from './identity-get.js'
import { addIdentityList } from './identity-list.js'
import { addLockoutClear } from './lockout-clear.js'
import { addLockoutList } from './lockout-list.js'
import { addLogin } from './login.js'
import { addMigrate } from './migrate.js'
import { addPrincipalCreate } from './principal-create.js'
import { addPrincipalDelete } from './principal-delete.js'
import { addPrincipalList } from './principal-list.js'
import { addProjectCreate } from './project-create.js'
import { addProjectList } from './project-list.js'
import { addRecoverAdmin } from './recover-admin.js'
import { addRestored } from './restored.js'
import { addRoleCreate } from './role-create.js'
import { addRoleGet } from './role-get.js'
import { addRoleList } from './role-list.js'
import { addSecretCreate } from './secret-create.js'
import { addSecretGet } from './secret-get.js'
import { addSecretList } from './secret-list.js'
import { addSecretRevoke } from './secret-revoke.js'
import { addSigningKeyList } from './signing-key-list.js'
import { addSigningKeyRevoke } from './signing-key-revoke.js'
import { addSigningKeyRotate } from './signing-key-rotate.js'
import { addSecretRotate } from './secret-rotate.js'
import { addSecretUnwrap } from './secret-unwrap.js'
import { addTokenCreate } from './token-create.js'
import { addTokenIntrospect } from './token-introspect.js'
import { addTokenKeys } from './token-keys.js'
import { addTokenList } from './token-list.js'
import { addTokenRename } from './token-rename.js'
import { addTokenRenew } from './token-renew.js'
import { addTokenRevoke } from './token-revoke.js'
import { addUniversalAuthGet } from './universal-auth-get.js'
import { addUniversalAuthUpdate } from './universal-auth-update.js'
import { productVersion } from '#libs/version.js'
import { addWhoami } from './whoami.js'

const nouns = [
  ['identity', 'Workloads and applications, and how they log in.', [addIdentityCreate, addIdentityList, addIdentityGet, addIdentityDelete]],
  ['project', 'Parts of the organization that identities are bound to.', [addProjectCreate, addProjectList]],
  ['role', 'Named sets of rules.', [addRoleCreate, addRoleList, addRoleGet]],
  ['binding', 'Roles given to identities.', [addBindingCreate, addBindingList, addBindingUpdate, addBindingDelete]],
  ['lockout', 'Sources whose failed logins are throttled.', [addLockoutList, addLockoutClear]],
  ['secret', 'Client secrets of identities.', [addSecretCreate, addSecretList, addSecretGet, addSecretRotate, addSecretUnwrap, addSecretRevoke]],
  ['universal-auth', 'How identities log in with client id and client secret.', [addUniversalAuthGet, addUniversalAuthUpdate]],
  ['auth-method', 'Ways in which identities come by access tokens.', [addAuthMethodAttach, addAuthMethodGet, addAuthMethodList, addAuthMethodUpdate, addAuthMethodRemove]],
  ['principal', 'Names in client certificates that stand for identities.', [addPrincipalCreate, addPrincipalList, addPrincipalDelete]],
  ['token', 'Access tokens.', [addTokenCreate, addTokenList, addTokenRename, addTokenRenew, addTokenIntrospect, addTokenRevoke, addTokenKeys]],
  ['signing-key', 'Keys that sign access tokens, for the operator of the installation.', [addSigningKeyList, addSigningKeyRotate, addSigningKeyRevoke]],
  ['audit', 'What was done.', [addAuditList]],
] as const

const AFTERWORD = `
The four steps:
  npx countersign identity create web --universal-auth --credentials-file web.json
  npx countersign project create shop
  npx countersign binding create web --project shop --role viewer
  npx countersign login --credentials-file web.json
  npx countersign check read orders --project shop --credentials-file web.json

Which installation: COUNTERSIGN_REGISTRY, COUNTERSIGN_EXCHANGE, COUNTERSIGN_CHECK (host:port each); or the context file
(COUNTERSIGN_CONTEXT_FILE, by default ~/.config/countersign/context.json); or .countersign/ of \`npm start\`, here or above.
As whom: --credentials-file; COUNTERSIGN_CLIENT_ID with COUNTERSIGN_CLIENT_SECRET; COUNTERSIGN_CREDENTIALS_FILE; the context
file; .countersign/admin.json. A secret or a token is never given as an argument.

Exit codes: 0 done, check: allowed. 1 refused, check: denied. 2 wrong usage. 3 unreachable: try again.`

/** Every command, and what help says. */
export function commandLine(run: Run): Command {
  const program = new Command('countersign')
    .description('Machine identities: who they are, what they may do, and whether a token may do this.')
    .version(productVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'show what a command does and takes')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .addHelpText('after', AFTERWORD)
  addLogin(program, run)
  addWhoami(program, run)
  for (const [noun, description, commands] of nouns) {
    const parent = program.command(noun).description(description)
    for (const add of commands) add(parent, run)
  }
  addCheck(program, run)
  addAgent(program, run)
  addDoctor(program, run)
  addBootstrap(program, run)
  addRecoverAdmin(program, run)
  addRestored(program, run)
  shareOptions(program)
  addMigrate(program)
  return program
}
