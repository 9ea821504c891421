import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { askSecret } from './prompt.js'

function terminal() {
  const raw: boolean[] = []
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) })
  const output = new PassThrough()
  return { input, output, raw, shown: () => String(output.read() ?? '') }
}

// A secret that is typed is never on the screen: seen to fail with an echo of each key.
it('shows the question and nothing of the answer', async () => {
  const { input, output, raw, shown } = terminal()
  const asked = askSecret('client secret: ', input, output)
  input.write('csk_')
  input.write('abc\r')
  expect(await asked).toBe('csk_abc')
  expect(shown()).toBe('client secret: \n')
  expect(raw).toEqual([true, false])
})

it('knows backspace and the key that clears the line', async () => {
  const { input, output } = terminal()
  const asked = askSecret('', input, output)
  input.write('wrong\u0015rihg\u007f\u007fght\n')
  expect(await asked).toBe('right')
})

it.each([['\r'], ['\u0003'], ['ab\u0004']])('takes %j for no answer and leaves the terminal as it was', async (keys) => {
  const { input, output, raw } = terminal()
  const asked = askSecret('', input, output)
  input.write(keys)
  await expect(asked).rejects.toThrow('No secret was given.')
  expect(raw).toEqual([true, false])
})

it('does not read a secret from what is no terminal', () => {
  expect(() => askSecret('', new PassThrough(), new PassThrough())).toThrow('There is no terminal')
})
