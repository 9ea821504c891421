import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { oneWritePerTurn } from './one-write-per-turn.js'

it('the commands of one turn go out by one write, and those of the next by another', async () => {
  const written: string[] = []
  const note = (chunk: unknown) => void written.push(String(chunk))
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      note(chunk)
      done()
    },
    writev: (chunks, done) => {
      note(chunks.map(({ chunk }) => String(chunk)).join(' '))
      done()
    },
  })
  const hold = oneWritePerTurn({ stream })
  const give = (command: string) => {
    hold()
    stream.write(command)
  }
  for (const command of ['set', 'get']) give(command)
  await Promise.resolve()
  give('publish')
  expect(written).toEqual([])
  await turn()
  await turn()
  give('mget')
  await turn()
  await turn()
  expect(written).toEqual(['set get publish', 'mget'])
})
