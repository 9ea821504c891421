import { DomainError } from '#libs/domain-error.js'
import { type CheckRequest, CheckResponse, DecisionReason } from '#libs/wire/gen/countersign/authorization/v1/authorization_check.js'
import { type Answering, one, tokenOf, type World } from './fake-world.js'

// read is allowed, delete is denied, where the attribute `path` is /closed, or from 192.0.2.1, everything is denied, of the rest nobody says anything.

export const checkAnswers = (world: World, answering: Answering) => ({
  check: answering('check', ({ accessToken, action, resource, projectId, sourceAddress }: CheckRequest, callerToken) => {
    if (world.callerIsWanted && !(callerToken !== undefined && world.tokens.get(callerToken)?.revoked === false)) {
      throw new DomainError('UNAUTHENTICATED', 'CALLER_TOKEN_REJECTED', 'Whoever asks must show a token.')
    }
    const { tokenId, identityId } = tokenOf(world, accessToken)
    const isClosed = resource?.attributes['path']?.kind?.value === '/closed'
    const rule = { roleId: projectId, role: 'viewer', ruleIndex: isClosed ? 7 : 1 }
    const decision = sourceAddress === '192.0.2.1' ? elsewhere : isClosed || action === 'delete' ? denied : action === 'read' ? allowed : unspoken
    return CheckResponse.fromPartial({
      ...decision,
      ...(decision === unspoken || decision === elsewhere ? {} : { rule }),
      identityId,
      identityName: one(world.identities, identityId, 'IDENTITY_NOT_FOUND').name,
      organizationId: world.organizationId,
      tokenId,
      tokenExpireTime: new Date('2030-01-01T00:00:00Z'),
      decisionId: world.ids.next(),
    })
  }),
})

const allowed = { allowed: true, reason: DecisionReason.ALLOWED_BY_RULE }
const denied = { allowed: false, reason: DecisionReason.DENIED_BY_RULE }
const elsewhere = { allowed: false, reason: DecisionReason.SOURCE_NOT_TRUSTED }
const unspoken = { allowed: false, reason: DecisionReason.NO_RULE }
