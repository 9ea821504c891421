import { parseAllDocuments } from 'yaml'

/** The documents of a file, and what is wrong with its text: a key that is there twice, an unknown alias, a bad indent. */
export type Parsed = { readonly documents: readonly unknown[]; readonly problems: readonly string[] }

export function parseStrictly(text: string): Parsed {
  // An empty file is an array too, with more to it.
  const documents = [...parseAllDocuments(text, { uniqueKeys: true, strict: true, stringKeys: true })]
  const problems = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings].map(({ message }) => message.split('\n', 1)[0] ?? message))
  return problems.length > 0 ? { documents: [], problems } : { documents: documents.map((document): unknown => document.toJS()), problems }
}
