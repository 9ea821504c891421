import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Closing } from '#libs/lifecycle.js'
import { AuthExchangeServiceService as Exchange } from '#libs/wire/gen/countersign/exchange/v1/auth_exchange.js'
import { IdentityRegistryServiceService as Registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { type Application, startApplication, valuesOf } from '../support/applications.js'
import { allow, bindTo, makeProject, makeWorkload, type Workload } from '../support/builders.js'
import { type CertificateAuthority, certificateAuthority, type Files } from '../support/certificate-authority.js'
import { type Envoy, startEnvoy } from '../support/envoy-process.js'
import { envoyForTests } from '../support/envoy-program.js'
import { PATIENT, PLACEHOLDERS, startSidecar } from '../support/guarded-application.js'
import { scratchDirectory } from '../support/scratch-directory.js'
import { type Session, startSystem, type System } from '../support/system.js'
import { sendUntilDecided, type WebAnswer, webClient } from '../support/web-client.js'

// deploy/envoy/mtls.yaml: clients that bring a certificate in place of a token.

const program = await envoyForTests()
const BILLING = 'spiffe://shop.example/billing'

describe.runIf(program)('behind Envoy, by certificate', () => {
  const closing = new Closing()
  let system: System
  let admin: Session
  let workload: Workload
  let token: string
  let authority: CertificateAuthority
  let server: Files
  let application: Application
  let envoy: Envoy

  beforeAll(async () => {
    system = await startSystem({ environment: PATIENT })
    closing.add(() => system.close())
    admin = await system.session(system.admin)
    const projectId = await makeProject(admin, 'shop')
    await admin.registry(Registry.createRole, { projectId, name: 'buyer', description: '', rules: [allow(['get'], ['orders'])] })
    workload = await makeWorkload(admin, { name: 'billing' })
    await bindTo(admin, workload.identityId, projectId, 'buyer')
    token = (await system.login(workload)).accessToken
    application = await startApplication()
    closing.add(() => application.close())
    const scratch = await scratchDirectory()
    closing.add(() => scratch.remove())
    authority = await certificateAuthority(scratch.path)
    server = await authority.issue('server', ['DNS:localhost', 'IP:127.0.0.1'])
    const { socket } = await startSidecar(system, closing)
    const instead = {
      [PLACEHOLDERS.project]: projectId,
      [PLACEHOLDERS.organization]: system.admin.organizationId,
      [PLACEHOLDERS.socket]: socket,
      [PLACEHOLDERS.application]: application.address,
      '/etc/envoy/tls/server.pem': server.certificateFile,
      '/etc/envoy/tls/server.key': server.keyFile,
      '/etc/envoy/tls/workloads-ca.pem': authority.caFile,
    }
    envoy = await startEnvoy({ program: program ?? '', config: 'mtls', instead })
    closing.add(() => envoy.stop())
  })
  afterAll(() => closing.close())

  async function sendWith(files: Files | undefined, headers: Record<string, string> = {}, method = 'GET'): Promise<WebAnswer> {
    const ca = await readFile(server.caFile, 'utf8')
    const own = files && { cert: await readFile(files.certificateFile, 'utf8'), key: await readFile(files.keyFile, 'utf8') }
    const client = webClient(envoy.address, { tls: { ca, ...own } })
    try {
      return await sendUntilDecided(client, '/orders/1', { method, headers })
    } finally {
      client.close()
    }
  }
  const principal = (name: string) => admin.exchange(Exchange.createPrincipal, { identityId: workload.identityId, name })
  const whoReached = () => application.seen.splice(0).map((seen) => valuesOf(seen, 'x-countersign-identity'))

  it('a name that auth-exchange knows is the identity, until it is deleted', async () => {
    const files = await authority.issue('billing', [`URI:${BILLING}`, 'DNS:billing.shop.example'])
    const made = await system.everywhere(principal(BILLING))
    expect((await sendWith(files, { 'x-countersign-identity': 'spoofed' })).status).toBe(200)
    expect((await sendWith(files, {}, 'DELETE')).status).toBe(403)
    expect(whoReached()).toEqual([[workload.identityId]])
    await system.everywhere(admin.exchange(Exchange.deletePrincipal, { id: made.principal?.id ?? '' }))
    expect((await sendWith(files)).status).toBe(401)
    expect(whoReached()).toEqual([])
  })

  it('a DNS name counts where the certificate has no URI', async () => {
    await system.everywhere(principal('web.shop.example'))
    expect((await sendWith(await authority.issue('web', ['DNS:web.shop.example']))).status).toBe(200)
    expect(whoReached()).toEqual([[workload.identityId]])
  })

  // Seen to fail without require_client_certificate.
  it('a name that it does not know, a certificate of another CA and none at all get nowhere', async () => {
    await system.everywhere(principal('spiffe://shop.example/known'))
    const unmapped = await sendWith(await authority.issue('unmapped', ['URI:spiffe://shop.example/unknown', 'DNS:web.shop.example']))
    expect(unmapped).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="countersign"' } })
    const scratch = await scratchDirectory()
    const forged = await (await certificateAuthority(scratch.path, 'other')).issue('known', ['URI:spiffe://shop.example/known'])
    await expect(sendWith(forged)).rejects.toThrow()
    await expect(sendWith(undefined)).rejects.toThrow()
    await scratch.remove()
    expect(whoReached()).toEqual([])
  })

  it('a certificate does not make up for a bad token, nor a header of a proxy for a certificate', async () => {
    await system.everywhere(principal('spiffe://shop.example/third'))
    const [good, unmapped] = [await authority.issue('third', ['URI:spiffe://shop.example/third']), await authority.issue('fourth', ['URI:spiffe://shop.example/fourth'])]
    expect((await sendWith(good, { authorization: 'Bearer no.token.here' })).status).toBe(401)
    expect((await sendWith(unmapped, { 'x-forwarded-client-cert': 'URI=spiffe://shop.example/third' })).status).toBe(401)
    expect((await sendWith(unmapped, { authorization: `Bearer ${token}` })).status).toBe(200)
    expect(whoReached()).toEqual([[workload.identityId]])
  })
})
