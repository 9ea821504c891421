import { wallMillis } from '#libs/clock.js'
import type { Shell } from '../command.js'
import { wrongUsage } from '../failure.js'
import type { MethodOptions } from '../login-method.js'
import { readSecret } from '../read-text.js'
import { claimsOfGiven, givenTokenSource } from './given-token.js'
import { renewing } from './renewing.js'
import type { TokenFile } from './token-file.js'
import { loginSource, renewBy, type TokenSource } from './token-source.js'

type Options = MethodOptions & { readonly renew?: boolean; readonly revokeOnExit?: boolean }

/** Where tokens come from, beside what earlier agents left in files. */
type SourceBeside = (files: readonly TokenFile[]) => TokenSource

/** Says what is missing before anything begins. */
export async function prepareLogins(shell: Shell, { renew = true, ...login }: Options): Promise<SourceBeside> {
  const found = shell.credentials(login)
  if (login.clientSecretFile !== '-' && login.assertionFile !== '-') await found.proof()
  const byLogin = loginSource(shell, login)
  return () => (renew ? renewing(byLogin, renewBy(shell)) : byLogin)
}

/** The same, of a token that an operator made. */
export async function prepareGiven(shell: Shell, { tokenFile: name, renew = true, revokeOnExit = false }: Options): Promise<SourceBeside> {
  const unfit = [...(renew ? [] : ['--no-renew']), ...(revokeOnExit ? ['--revoke-on-exit'] : [])]
  if (unfit.length > 0) throw wrongUsage(`${unfit.join(', ')} can't go with token-auth: the agent has the one token that it was given, and comes by no other.`)
  if (name === undefined) throw wrongUsage('token-auth needs --token-file FILE, with a token of `countersign token create`.')
  const read = () => readSecret(name, shell.tell)
  const text = await read()
  claimsOfGiven(text, name)
  const given = { read: name === '-' ? () => Promise.resolve(text) : read, name }
  return (files) => givenTokenSource({ ...given, leftovers: files.flatMap(({ leftover }) => leftover ?? []) }, { renew: renewBy(shell), wallMillis, tell: shell.tell })
}
