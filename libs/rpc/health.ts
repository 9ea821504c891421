import type { Server } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'

/**
 * grpc.health.v1 for one server: every service by its full name, `''` and `readiness` for taking traffic, and `liveness`,
 * which stays SERVING until the process ends.
 */
export type Health = { setReady(ready: boolean): void; drain(): void }

export function serveHealth(server: Server, services: readonly string[]): Health {
  const names = ['', 'readiness', ...services]
  const health = new HealthImplementation({ liveness: 'SERVING' })
  let draining = false
  const setAll = (ready: boolean) => {
    for (const name of names) health.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING')
  }
  setAll(false)
  health.addToServer(server)
  return {
    setReady: (ready) => {
      if (!draining) setAll(ready)
    },
    // From here on nothing, not even a dependency that comes back late, makes a leaving server look ready.
    drain: () => {
      draining = true
      setAll(false)
    },
  }
}
