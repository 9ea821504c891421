import { sql } from 'kysely'

// Of `t`, a row of access_token.

/** From where it may be used, as its method says now; nowhere, where there is no such method. */
export const trustedIpsNow = sql<string[]>`coalesce(
  case t.method
    when 'universal-auth' then (
      select m.access_token_trusted_ips from exchange.universal_auth m where m.organization_id = t.organization_id and m.identity_id = t.identity_id)
    else (
      select a.access_token_trusted_ips from exchange.auth_method a
      where a.organization_id = t.organization_id and a.identity_id = t.identity_id and a.method = t.method)
  end, '{}')`

export const hasUsesLeft = sql<boolean>`(t.use_limit is null or t.uses < t.use_limit)`

/** Whether its credential, method, identity and organization are what its login verified. */
export const restsOnWhatItDid = sql<boolean>`(
  case t.method
    when 'universal-auth' then exists (
      select from exchange.client_secret s
      join exchange.universal_auth m on m.organization_id = s.organization_id and m.identity_id = s.identity_id
      where s.organization_id = t.organization_id and s.id = t.credential_id and s.epoch = t.credential_epoch
        and m.identity_id = t.identity_id and m.epoch = t.method_epoch)
    else exists (
      select from exchange.auth_method a
      where a.organization_id = t.organization_id and a.identity_id = t.identity_id and a.method = t.method
        and a.id = t.credential_id and a.epoch = t.method_epoch)
  end
  and (select e.epoch from exchange.identity_epoch e where e.organization_id = t.organization_id and e.identity_id = t.identity_id)
    is not distinct from t.identity_epoch
  and (select e.epoch from exchange.organization_epoch e where e.organization_id = t.organization_id) is not distinct from t.organization_epoch
)`
