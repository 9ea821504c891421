// Tables for people: aligned columns, no borders, two spaces between.

export type Cell = string | number | boolean | Date | undefined

// What a server sends must not move the cursor or colour the terminal of whoever reads it.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g

export const printable = (text: string): string => text.replace(CONTROL, ' ')

export function cellText(cell: Cell): string {
  if (cell === undefined || cell === '') return '-'
  return cell instanceof Date ? timeText(cell) : printable(String(cell))
}

/** RFC 3339 in UTC, without a fraction of zero. */
export const timeText = (time: Date): string => time.toISOString().replace('.000Z', 'Z')

export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const lines = [headings, ...rows.map((row) => row.map(cellText))]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))))
  return lines.map((line) => aligned(line, widths))
}

/** One thing, a line for each of its fields. */
export function record(fields: readonly (readonly [name: string, value: Cell])[]): string[] {
  const width = Math.max(...fields.map(([name]) => widthOf(name)))
  return fields.map(([name, value]) => aligned([name, cellText(value)], [width, 0]))
}

const aligned = (line: readonly string[], widths: readonly number[]): string =>
  line.map((text, column) => text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(text)))).join('  ').trimEnd()

const widthOf = (text: string): number => [...text].length
