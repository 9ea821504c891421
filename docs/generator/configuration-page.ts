import { commandLine, type Group, migrateVariables, serviceGroups, setByStart, startOptionRows, type Variable } from './variables.js'

// The tables of docs/configuration.md. The prose around them is written by hand, and left alone.

const cell = (text: string): string => text.replaceAll('|', '\\|')

function table(what: string, variables: readonly Variable[]): string {
  const hasStandards = variables.some(({ standard }) => standard !== '')
  const line = (name: string, standard: string, meaning: string) => (hasStandards ? `| ${name} | ${standard} | ${meaning} |` : `| ${name} | ${meaning} |`)
  const rows = variables.map(({ name, standard, meaning }) => line(`\`${name}\``, standard, cell(meaning)))
  return [line(what, 'default', 'meaning'), hasStandards ? '|---|---|---|' : '|---|---|', ...rows].join('\n')
}

const heading = ({ readers }: Group): string => `### ${readers.length === 3 ? 'All three services' : readers.join(' and ')}`

const names = (variables: readonly string[]): string => variables.map((name) => `\`${name}\``).join(', ')

/** By the name in its markers. */
const PARTS: Readonly<Record<string, () => string>> = {
  services: () => serviceGroups().map((group) => `${heading(group)}\n\n${table('variable', group.variables)}`).join('\n\n'),
  migrate: () => table('variable', migrateVariables()),
  'start-options': () => table('option', startOptionRows()),
  'set-by-start': () => `${names(setByStart())}.`,
  'command-line': () => table('variable', commandLine()),
}

const MARKED = /(<!-- generated: ([a-z-]+) -->\n)[^]*?<!-- end -->/g

/** The page with its tables as the code has them now. */
export function configurationPage(page: string): string {
  const missing = Object.keys(PARTS).filter((part) => page.split(`<!-- generated: ${part} -->\n`).length !== 2)
  if (missing.length > 0) throw new Error(`docs/configuration.md needs these markers once: ${missing.join(', ')}`)
  return page.replace(MARKED, (_all, start: string, part: string) => {
    const made = PARTS[part]
    if (made === undefined) throw new Error(`docs/configuration.md: nothing makes ${part}`)
    return `${start}${made()}\n<!-- end -->`
  })
}
