import { UniversalAuth as UniversalAuthMessage } from '#libs/wire/gen/countersign/exchange/v1/universal_auth.js'
import type { UniversalAuth } from '../domain/universal-auth.js'

export const toUniversalAuthMessage = (method: UniversalAuth): UniversalAuthMessage => UniversalAuthMessage.fromPartial(method)
