import type { MissingRule, Obstacle } from '../rules/missing-rule.js'
import { MissingRule as MissingRuleMessage, Obstacle as ObstacleMessage } from '../wire/gen/countersign/registry/v1/escalation.js'
import { rulesFrom, toRuleMessage } from './rule-message.js'

const obstacles: Readonly<Record<Obstacle, ObstacleMessage>> = {
  'not-held': ObstacleMessage.NOT_HELD,
  'not-for-so-long': ObstacleMessage.NOT_FOR_SO_LONG,
  denied: ObstacleMessage.DENIED,
}
const obstacleNames: readonly Obstacle[] = ['not-for-so-long', 'denied']

export const toMissingRuleMessage = ({ projectId, role, rule, startTime, endTime, obstacle }: MissingRule): MissingRuleMessage =>
  MissingRuleMessage.fromPartial({
    projectId: projectId ?? '',
    role,
    rule: toRuleMessage(rule),
    ...(startTime && { startTime }),
    ...(endTime && { endTime }),
    obstacle: obstacles[obstacle],
  })

/** As many as fit into so many bytes; one that is too large for itself is left out. */
export function firstMissing(missing: readonly MissingRule[], bytes: number): MissingRuleMessage[] {
  let left = bytes
  return missing.map(toMissingRuleMessage).filter((message) => {
    // Its field and its length come before it.
    const size = MissingRuleMessage.encode(message).finish().length + 6
    if (size > left) return false
    left -= size
    return true
  })
}

/** From a service of ours: what a newer one says beyond what is known here is left out of the rule, and the refusal stays. */
export function missingRuleFrom({ projectId, role, rule, startTime, endTime, obstacle }: MissingRuleMessage): MissingRule[] {
  const [known] = rulesFrom(rule ? [rule] : [], () => () => undefined)
  return known
    ? [{
        projectId: projectId === '' ? undefined : projectId,
        role,
        rule: known,
        startTime: startTime ?? null,
        endTime: endTime ?? null,
        obstacle: obstacleNames.find((name) => obstacles[name] === obstacle) ?? 'not-held',
      }]
    : []
}
