const PLAIN = /^[A-Za-z0-9_./:@%+=-]+$/

/** The command to type next, quoted for a POSIX shell. */
export const nextCommand = (...words: readonly string[]): string => ['npx countersign', ...words.map(quoted)].join(' ')

const quoted = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/** The credentials file that hints suggest for an identity. */
export function suggestedFile(identityName: string): string {
  const plain = identityName.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[.-]+/, '')
  return `${plain === '' ? 'identity' : plain}.json`
}
