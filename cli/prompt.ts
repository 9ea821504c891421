import { wrongUsage } from './failure.js'

/** What of a terminal is needed to ask without echo. */
export type TerminalInput = NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }

const INTERRUPT = '\u0003'
const END_OF_INPUT = '\u0004'
const CLEAR_LINE = '\u0015'
const BACKSPACES: readonly string[] = ['\u007f', '\b']
const ENTER: readonly string[] = ['\r', '\n']

/** Asks for a secret; what is typed or pasted is not shown. */
export function askSecret(question: string, input: TerminalInput, output: NodeJS.WritableStream): Promise<string> {
  if (!input.isTTY || input.setRawMode === undefined) throw noTerminal()
  input.setRawMode(true)
  output.write(question)
  let typed: string[] = []
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      input.removeListener('data', onData)
      input.removeListener('end', onEnd)
      input.setRawMode?.(false)
      input.pause()
      output.write('\n')
      settle()
    }
    const onEnd = () => finish(() => reject(nothingGiven()))
    const onData = (chunk: Buffer | string) => {
      for (const key of String(chunk)) {
        if (ENTER.includes(key)) return finish(() => (typed.length > 0 ? resolve(typed.join('')) : reject(nothingGiven())))
        if (key === INTERRUPT || key === END_OF_INPUT) return onEnd()
        typed = afterKey(typed, key)
      }
    }
    input.on('data', onData)
    input.on('end', onEnd)
    input.resume()
  })
}

function afterKey(typed: string[], key: string): string[] {
  if (BACKSPACES.includes(key)) return typed.slice(0, -1)
  if (key === CLEAR_LINE) return []
  // Secrets are printable ASCII: the rest is cursor keys and the like.
  return key > ' ' && key <= '~' ? [...typed, key] : typed
}

const nothingGiven = () => wrongUsage('No secret was given.')

const noTerminal = () =>
  wrongUsage('There is no terminal to ask for the client secret on: use --client-secret-file FILE (-: standard input), or COUNTERSIGN_CLIENT_SECRET.')
