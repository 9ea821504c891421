import type { AccessTokenRecord, Counted } from '../domain/access-token.js'

/** What is told of a lineage beside its times; 0 where there is no limit, and where it is not periodic. */
export const usesMessage = ({ useLimit, uses, periodSeconds }: Pick<AccessTokenRecord & Counted, 'useLimit' | 'uses' | 'periodSeconds'>) => ({
  useLimit: useLimit ?? 0,
  uses,
  periodSeconds: periodSeconds ?? 0,
})
