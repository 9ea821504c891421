import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { commandLine } from './program.js'

const program = commandLine(() => Promise.resolve())

const leavesOf = (command: Command, path: readonly string[]): [string, Command][] =>
  command.commands.length === 0
    ? [[path.join(' '), command]]
    : command.commands.flatMap((sub) => leavesOf(sub, [...path, sub.name()]))

const leaves = leavesOf(program, [])

it('has every command', () => {
  expect(leaves.map(([path]) => path).toSorted()).toEqual([
    'agent', 'audit list', 'auth-method attach', 'auth-method get', 'auth-method list', 'auth-method remove', 'auth-method update', 'binding create', 'binding delete', 'binding list', 'binding update', 'bootstrap', 'check', 'doctor', 'identity create', 'identity delete', 'identity get',
    'identity list', 'lockout clear', 'lockout list', 'login', 'migrate', 'principal create', 'principal delete', 'principal list', 'project create', 'project list', 'recover-admin', 'restored', 'role create', 'role get', 'role list', 'secret create', 'secret get', 'secret list', 'secret revoke', 'secret rotate', 'secret unwrap',
    'signing-key list', 'signing-key revoke', 'signing-key rotate', 'token create', 'token introspect', 'token keys', 'token list', 'token rename', 'token renew', 'token revoke', 'universal-auth get', 'universal-auth update', 'whoami',
  ])
})

// A secret among the arguments is in every process list and shell history: seen to fail with --client-secret <secret>.
it.each(leaves)('%s takes no secret and no token as an argument', (_, command) => {
  const values = [...command.options, ...program.options].filter(({ required, optional }) => required || optional)
  const suspicious = values.filter(({ long }) => /secret|token|password/.test(long ?? '') && !/-file$|^--secret-(?:ttl|uses|id)$/.test(long ?? ''))
  expect(suspicious.map(({ flags }) => flags)).toEqual([])
  expect(command.registeredArguments.map((argument) => argument.name()).filter((name) => /secret|token$/.test(name))).toEqual([])
})

it.each(leaves)('help of %s describes it, with an example that it understands', (path, command) => {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
  expect(command.description()).not.toBe('')
  const [, example = ''] = /\nExample:\n {2}npx countersign (.+)\n/.exec(help) ?? []
  expect(example.startsWith(path)).toBe(true)
})

// `migrate` acts as nobody: it speaks to PostgreSQL, not to a service.
const calling = leaves.filter(([path]) => path !== 'migrate')

it.each(calling)('%s can print for people, for programs and ids alone', (_, command) => {
  expect(command.options.map(({ long }) => long)).toEqual(expect.arrayContaining(['--json', '--quiet', '--credentials-file']))
})
