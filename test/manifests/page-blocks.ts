import { read } from '../house/documents.js'

/** A fenced block of a page: `sh`, or `sh needs-cluster` and its like. */
export type Block = { readonly info: string; readonly code: string }

export const blocksOf = (path: string): Block[] =>
  [...read(path).text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info = '', code = '']) => ({ info, code }))

/** One command a line, where lines that end in a backslash go on. */
export const linesOf = (code: string): string[] => code.replaceAll('\\\n', ' ').split('\n').map((line) => line.trim()).filter((line) => line !== '')
