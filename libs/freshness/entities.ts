import { createHash } from 'node:crypto'

// The one table of freshness: which entities a change names, and which entities a cached entry depends on. An entry is
// used only while none of its entities has changed since it was read, so a change that names too little makes a wrong answer
// and one that names too much makes a slow one. test/house/every-change-is-named.test.ts holds it to the protos.

/** The two owners whose changes are followed. */
export const FEEDS = ['registry', 'exchange'] as const

export type FeedName = (typeof FEEDS)[number]

/** `kind/id`, as a change feed carries it. */
export type EntityName = string

const organization = (id: string): EntityName => `organization/${id}`
const project = (id: string): EntityName => `project/${id}`
const identity = (id: string): EntityName => `identity/${id}`
const role = (id: string): EntityName => `role/${id}`
const authMethod = (identityId: string): EntityName => `auth-method/${identityId}`
const clientSecret = (id: string): EntityName => `client-secret/${id}`
const signingKey = (kid: string): EntityName => `signing-key/${kid}`
const accessToken = (id: string): EntityName => `access-token/${id}`
/** By its name and not its id, so that an answer that there is none can be kept too. */
const principal = (organizationId: string, name: string): EntityName => `principal/${organizationId}/${createHash('sha256').update(name).digest('hex')}`

// Every token of an identity depends on its auth method.
const tokensOf = { organization, identity: authMethod, 'auth-method': authMethod, 'client-secret': clientSecret } as const

/** What each changing method of identity-registry changes. A binding is its identity's: whoever is bound has other grants. */
export const changedInRegistry = {
  Bootstrap: organization,
  UpdateOrganization: organization,
  CreateProject: (projectId: string, creatorId: string): readonly EntityName[] => [project(projectId), identity(creatorId)],
  UpdateProject: project,
  DeleteProject: project,
  CreateIdentity: identity,
  UpdateIdentity: identity,
  EnableIdentity: identity,
  DisableIdentity: identity,
  DeleteIdentity: identity,
  CreateRole: role,
  UpdateRole: role,
  DeleteRole: role,
  CreateBinding: identity,
  UpdateBinding: identity,
  DeleteBinding: identity,
} as const

/** What each changing method of auth-exchange changes. A login changes no answer that was given before: it names nothing. */
export const changedInExchange = {
  Bootstrap: organization,
  AttachUniversalAuth: authMethod,
  UpdateUniversalAuth: authMethod,
  ClearLockouts: authMethod,
  CreateClientSecret: clientSecret,
  RevokeClientSecret: clientSecret,
  RevokeAccessToken: accessToken,
  RevokeAccessTokens: (of: keyof typeof tokensOf, id: string): EntityName => tokensOf[of](id),
  RotateSigningKey: signingKey,
  /** Of the installation: every token that the key signed depends on it. */
  RevokeSigningKey: signingKey,
  CreatePrincipal: principal,
  DeletePrincipal: principal,
} as const

type Scope = { readonly organizationId: string; readonly identityId: string; readonly projectId: string | undefined }
type Token = { readonly organizationId: string; readonly identityId: string; readonly credentialId: string; readonly tokenId: string; readonly kid: string }

/** What each kind of entry depends on. */
export const dependencies = {
  /** What an identity holds in a scope: the roles that it names have entries of their own. */
  grants: ({ organizationId, identityId, projectId }: Scope): readonly EntityName[] =>
    projectId === undefined ? [identity(identityId), organization(organizationId)] : [identity(identityId), organization(organizationId), project(projectId)],
  role: (roleId: string): readonly EntityName[] => [role(roleId)],
  /** Whether an identity may log in. */
  identity: ({ organizationId, identityId }: Pick<Scope, 'organizationId' | 'identityId'>): readonly EntityName[] => [identity(identityId), organization(organizationId)],
  accessToken: ({ organizationId, identityId, credentialId, tokenId, kid }: Token): readonly EntityName[] => [
    accessToken(tokenId),
    clientSecret(credentialId),
    authMethod(identityId),
    organization(organizationId),
    signingKey(kid),
  ],
  /** Whose principal a name is, if anybody's. */
  principal: ({ organizationId, name }: { readonly organizationId: string; readonly name: string }): readonly EntityName[] => [
    principal(organizationId, name),
    organization(organizationId),
  ],
} as const
