import type { Command } from 'commander'
import { LOGIN_METHODS } from './login-method.js'

/** How a login proves who it is; each but --method belongs to some of the methods. */
export const addProofOptions = (command: Command, more: readonly string[] = []): Command =>
  command
    .option('--method <method>', `how it proves who it is: ${[...LOGIN_METHODS, ...more].join(', ')} (default: universal-auth)`)
    .option('--client-id <id>', 'universal-auth: log in with this client id')
    .option('--client-secret-file <file>', 'universal-auth: the file that holds its secret, read for each login; - for standard input')
    .option('--identity <id>', 'kubernetes-auth, oidc-auth, jwt-auth: the id of the identity')
    .option('--assertion-file <file>', 'kubernetes-auth, oidc-auth, jwt-auth: the file that holds the JWT, read for each login; - for standard input; with kubernetes-auth by default that of the service account')
