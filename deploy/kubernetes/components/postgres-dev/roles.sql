-- THROW-AWAY passwords: everybody can read them. Run once, when the volume is empty. The migrations make the schemas.
create role migrate login password 'throw-away-migrate';
create role registry login password 'throw-away-registry';
create role exchange login password 'throw-away-exchange';
alter database countersign owner to migrate;
revoke all on database countersign from public;
grant connect on database countersign to registry, exchange;
revoke all on schema public from public;
