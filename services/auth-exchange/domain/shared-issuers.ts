import { literalStart } from '#libs/rules/glob.js'
import type { AssertionRules } from './assertion-rules.js'

// Issuers that issue to the whole world. Names are given to another there once somebody lets go of them, and a pattern that is
// too wide admits strangers: so one of the ids that stay has to be named.

const LASTING_IDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['https://token.actions.githubusercontent.com', ['repository_id', 'repository_owner_id']],
  ['https://gitlab.com', ['project_id', 'namespace_id']],
  ['https://app.terraform.io', ['terraform_workspace_id', 'terraform_project_id', 'terraform_organization_id']],
  ['https://agent.buildkite.com', ['pipeline_id', 'organization_id']],
  ['https://accounts.google.com', ['sub']],
])

/** What is missing in rules for such an issuer, or undefined. */
export function tooWide({ issuer, subject, claims }: Pick<AssertionRules, 'issuer' | 'subject' | 'claims'>): string | undefined {
  const ids = LASTING_IDS.get(issuer.replace(/\/+$/, '').toLowerCase())
  if (!ids) return undefined
  const bound = [...claims, { path: 'sub', globs: subject === undefined ? [] : [subject] }]
  const isPinned = bound.some(({ path, globs }) => ids.includes(path) && globs.length > 0 && globs.every((glob) => literalStart(glob).isWhole))
  return isPinned ? undefined : `issues to everybody: bind ${ids.join(' or ')} to a value without wildcards`
}
