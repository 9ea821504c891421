/** The name in a client certificate that stands for an identity. */
export type Principal = {
  readonly organizationId: string
  readonly id: string
  readonly identityId: string
  /** Compared byte by byte. */
  readonly name: string
  readonly createTime: Date
}

// What certificates name and Envoy shows is ASCII, other characters of a subject being escaped; so two names that look alike
// are one.
const NAME = /^[!-~](?:[ -~]{0,510}[!-~])?$/

export const PRINCIPAL_NAME_PROBLEM = 'must be 1 to 512 characters of visible ASCII, or spaces that are not at either end'

export const isPrincipalName = (name: string): boolean => NAME.test(name)
