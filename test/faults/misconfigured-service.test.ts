import { Metadata } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { authorizationBy } from '#libs/authorization.js'
import { createRpcClient } from '#libs/rpc/client.js'
import { deadlineOf } from '#libs/rpc/deadline.js'
import { traceOf } from '#libs/rpc/trace.js'
import type { Call } from '#libs/rpc/unary.js'
import { type Session, startSystem, type System } from '../support/system.js'

let system: System
let admin: Session

beforeAll(async () => {
  system = await startSystem()
  admin = await system.session(system.admin)
})
afterAll(() => system.close())

function callWith(token: string): Call {
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  return { path: '/test/Test', metadata, peer: '', peerAddress: undefined, peerNames: [], trace: traceOf(metadata), deadline: deadlineOf(Infinity, 5_000), note: () => undefined }
}

// Clients throw a good token away over UNAUTHENTICATED. Seen to fail with failureOf in libs/rpc/client.ts handing on what it was told.
it('a service whose credential another does not accept is UNAVAILABLE to its callers, and says nothing of their tokens', async () => {
  const checkService = createRpcClient({ address: system.addresses.check, serviceCredential: 'identity-registry:a-secret-that-nobody-was-ever-told-of' })
  const authorization = authorizationBy(checkService)
  const asked = authorization.require(callWith(admin.token), { action: 'read', resource: 'organization' })
  await expect(asked).rejects.toMatchObject({ kind: 'UNAVAILABLE', reason: 'SERVICE_MISCONFIGURED' })
  checkService.close()
})
