import { RenewAccessTokenRequest } from '#libs/wire/gen/countersign/exchange/v1/access_token.js'
import { AuthExchangeServiceService as exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import type { Shell } from '../command.js'
import { type Connections, openConnections } from '../connections.js'
import type { CredentialOptions } from '../credentials.js'
import type { Proof } from '../proof.js'
import { prove } from '../session.js'
import type { Holding, Token } from './fresh-token.js'
import { renewedTokenFrom, tokenFrom } from './issued-token.js'

/** Where tokens come from. */
export type TokenSource = {
  /** Another token in place of what is held; undefined where there is nothing, or where it is not to be built upon. */
  obtain(held: Holding | undefined): Promise<Token>
}

/** Another token of the same lineage; it throws where there is none. */
export type Renew = (accessToken: string) => Promise<Token>

/** Logs in with what files and variables hold at that moment. */
export function loginSource(shell: Shell, options: CredentialOptions): TokenSource {
  const fromInput = [options.clientSecretFile, options.assertionFile].includes('-') ? readOnce(shell.credentials(options).proof) : undefined
  return {
    obtain: async () => {
      const found = shell.credentials(options)
      const response = await connected(shell, (connections) => prove(connections, fromInput === undefined ? found : { ...found, proof: fromInput }))
      return tokenFrom(response)
    },
  }
}

export const renewBy = (shell: Shell): Renew => async (accessToken) =>
  renewedTokenFrom(await connected(shell, (connections) => connections.call('exchange', exchange.renewAccessToken, RenewAccessTokenRequest.fromPartial({ accessToken }))))

/** Once an hour or so: a connection of its own costs nothing, and knows the addresses and the CA of now. */
async function connected<Result>(shell: Shell, work: (connections: Connections) => Promise<Result>): Promise<Result> {
  const connections = openConnections(shell.context, shell.environment)
  try {
    return await work(connections)
  } finally {
    connections.close()
  }
}

/** Standard input can be read once, and every login needs what came on it. */
function readOnce(read: () => Promise<Proof>): () => Promise<Proof> {
  let text: Promise<Proof> | undefined
  return () => (text ??= read())
}
