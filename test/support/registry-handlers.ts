import { Metadata } from '@grpc/grpc-js'
import type { Caller } from '#libs/authorization.js'
import { monotonicMillis } from '#libs/clock.js'
import { changeFeed } from '#libs/freshness/append.js'
import { createIds } from '#libs/ids.js'
import { createLog } from '#libs/log.js'
import { connectDatabase } from '#libs/postgres/database.js'
import { keepPartitions } from '#libs/postgres/partitions.js'
import type { ServiceCaller } from '#libs/rpc/service-credential.js'
import { traceOf } from '#libs/rpc/trace.js'
import type { Call, Unary } from '#libs/rpc/unary.js'
import type { Writing } from '../../services/identity-registry/ports.js'
import type { RegistrySchema } from '../../services/identity-registry/store/schema.js'
import { type ManualClock, manualClockFromNow } from './manual-clock.js'
import { type FreshDatabase, freshDatabase } from './postgres.js'

/** The handlers of identity-registry on a database of their own, called without a network, by whoever the test says. */
export type RegistryHandlers = {
  readonly outside: Writing
  readonly clock: ManualClock
  readonly databases: FreshDatabase
  /** As an identity that may call every method: what it holds is between it and the guard. */
  by<Request, Response>(caller: Caller, handler: Unary<Request, Response>, request: Request): Promise<Response>
  readonly service: ServiceCaller
  call(): Call
  /** For a clock that was moved far. */
  makeRoom(): Promise<void>
  close(): Promise<void>
}

const callers = new WeakMap<Call, Caller>()

export async function registryHandlers(): Promise<RegistryHandlers> {
  const databases = await freshDatabase()
  const log = createLog({ service: 'test', level: 'silent' })
  const db = connectDatabase<RegistrySchema>({ url: databases.registryUrl, schema: 'registry', log, poolSize: 4, prepare: true })
  const clock = manualClockFromNow()
  const ids = createIds(clock)
  const makeRoom = () => keepPartitions(db, { schema: 'registry', table: 'audit_event', keepDays: 10_000 }, clock.now())
  await makeRoom()
  const require = (call: Call): Promise<Caller> => {
    const caller = callers.get(call)
    return caller ? Promise.resolve(caller) : Promise.reject(new Error('nobody calls'))
  }
  const authorization = { require, ask: async (call: Call) => ({ caller: await require(call), allowed: true }) }
  const call = (): Call => {
    const metadata = new Metadata()
    return { path: '/test/Test', metadata, peer: 'test', peerAddress: undefined, peerNames: [], trace: traceOf(metadata), deadline: monotonicMillis() + 10_000, note: () => undefined }
  }
  return {
    outside: { db, authorization, feed: changeFeed({ name: 'registry', db, ids, hint: () => undefined }), ids, clock },
    clock,
    databases,
    service: { name: 'test', mayAskAbout: () => true },
    call,
    makeRoom,
    by: async (caller, handler, request) => {
      const made = call()
      callers.set(made, caller)
      return handler(request, made)
    },
    close: async () => {
      await db.destroy()
      await databases.drop()
    },
  }
}
