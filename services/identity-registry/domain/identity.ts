/** What every row carries that can be written again. */
export type Written = { readonly createTime: Date; readonly updateTime: Date; readonly etag: string }

export type Organization = Written & { readonly id: string; readonly name: string }

export type Project = Written & { readonly organizationId: string; readonly id: string; readonly name: string }

export type IdentityState = 'active' | 'disabled'

export type Identity = Written & {
  readonly organizationId: string
  readonly id: string
  readonly name: string
  readonly state: IdentityState
}
