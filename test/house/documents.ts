import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

// The pages of the repository, and what in them can be wrong without anybody reading them.

export const ROOT = join(import.meta.dirname, '../..')

export type Page = { readonly path: string; readonly text: string }

export const read = (path: string): Page => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })

const inFolder = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md')).map((file) => join(folder, file))

/** All that people read. */
export const pages = (): Page[] => ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...inFolder('docs'), ...inFolder('deploy/kubernetes')].map(read)

// A file or a folder of ours; placeholders in capitals, wildcards, and what is built are none.
const OURS = /^(?:libs|services|cli|deploy|docs|test|bench|proto)(?:\/[a-z0-9_.-]+)*\/?$/

/** Paths that are said in code style, and are not there. */
export function missingFiles({ path, text }: Page): string[] {
  const named = [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => code.split(/[\s,]+/))
  return named.filter((one) => OURS.test(one) && one.includes('/') && !existsSync(join(ROOT, one))).map((one) => `${path}: ${one} is not there`)
}

const slugOf = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')

const anchorsOf = (text: string): string[] => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slugOf(heading))

/** Links to files, or to headings in them, that lead nowhere. */
export function brokenLinks({ path, text }: Page): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [file = '', anchor] = target.split('#')
    const to = file === '' ? path : normalize(join(dirname(path), file))
    if (to !== path && !existsSync(join(ROOT, to))) return [`${path}: the link to ${target} leads nowhere`]
    if (anchor === undefined) return []
    const there = to === path ? text : read(to).text
    return anchorsOf(there).includes(anchor) ? [] : [`${path}: ${to} has no heading for #${anchor}`]
  })
}
