import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { expect, it } from 'vitest'
import { createRpcClient } from '#libs/rpc/client.js'
import { HealthCheckResponse_ServingStatus as Status, HealthService } from '#libs/wire/gen/health/v1/health.js'
import { answering, outgoing, startServer } from '../rpc/small-server.js'
import { documentsOf, rendererForTests } from './renderings.js'

const renderer = await rendererForTests()

// A probe of a name that the server does not know fails for ever, and so would each rollout.
it.skipIf(!renderer)('every name that a probe asks for is one that a server answers to', async () => {
  const documents = renderer ? await documentsOf(renderer, 'production') : []
  const names = documents.filter(Deployment.is).flatMap(({ spec }) =>
    (spec?.template.spec?.containers ?? []).flatMap(({ startupProbe, readinessProbe, livenessProbe }) => [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.grpc?.service)),
  )
  expect(names).toHaveLength(9)
  const server = await startServer(answering, { graceMillis: 100 })
  const client = createRpcClient({ address: server.address })
  try {
    server.rpc.health.setReady(true)
    for (const service of new Set(names)) expect(await client.unary(HealthService.check, { service: service ?? '' }, outgoing())).toEqual({ status: Status.SERVING })
  } finally {
    client.close()
    await server.close()
  }
})
