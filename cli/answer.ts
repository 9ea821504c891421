/** What a command found or did, for each of the three ways to print it. */
export type Answer = {
  /** For --json: an object or a list, fields named as in the protos in lowerCamelCase. */
  readonly document: unknown
  /** For --quiet. */
  readonly ids: readonly string[]
  /** For people; a function where more must be asked for their sake. */
  readonly lines: readonly string[] | (() => Promise<readonly string[]>)
  /** The command that people would type next. */
  readonly next?: string | (() => Promise<string>)
  /** 1: a check that was denied. */
  readonly exitCode?: 0 | 1
}

export type Style = 'people' | 'json' | 'ids'

export async function answerText(answer: Answer, style: Style): Promise<string> {
  if (style === 'json') return `${JSON.stringify(answer.document, undefined, 2)}\n`
  if (style === 'ids') return answer.ids.map((id) => `${id}\n`).join('')
  const lines = await resolved(answer.lines)
  const next = answer.next === undefined ? [] : ['', `next: ${await resolved(answer.next)}`]
  return [...lines, ...next].map((line) => `${line}\n`).join('')
}

const resolved = async <Value extends string | readonly string[]>(value: Value | (() => Promise<Value>)): Promise<Value> =>
  typeof value === 'function' ? value() : value
