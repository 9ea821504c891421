import { randomInt } from 'node:crypto'
import { momentNow } from '#libs/clock.js'
import { Closing } from '#libs/lifecycle.js'
import type { Answer } from '../answer.js'
import type { Shell } from '../command.js'
import { keepToken, type Keeper, problemOf } from './keeper.js'
import { type Report, reportBy } from './report.js'
import { revokeAll } from './revoke-all.js'
import { serveLoopback, serveSocket } from './serve.js'
import { endSoon, untilSignal } from './signals.js'
import type { TokenFile } from './token-file.js'
import type { TokenSource } from './token-source.js'

type Wanted = {
  readonly source: TokenSource
  readonly files: readonly TokenFile[]
  readonly sockets: readonly string[]
  readonly loopbacks: readonly string[]
  readonly revokeOnExit: boolean
}

/** How often it is looked whether something is to be done: also how late a machine that was suspended notices. */
const LOOK_MILLIS = 250

/** Runs until SIGTERM or SIGINT. */
export async function keepFresh(shell: Shell, { source, files, sockets, loopbacks, revokeOnExit }: Wanted): Promise<Answer> {
  const report = reportBy(shell.tell)
  const keeper = keepToken({ source, sinks: files, now: momentNow, chance: () => randomInt(2 ** 32) / 2 ** 32, report })
  const closing = new Closing()
  const signal = untilSignal(keeper.hurry)
  try {
    await listen(keeper, { sockets, loopbacks, closing, report })
    closing.add(look(keeper))
    await signal
    keeper.stop()
  } finally {
    await closing.close()
  }
  if (!revokeOnExit) {
    endSoon()
    return { document: { stopped: true, revokedTokenIds: [] }, ids: [], lines: ['stopped: tokens that were obtained live on until they expire'] }
  }
  // They go whatever becomes of the revocation: it is over for whoever used them.
  for (const file of files) {
    const problem = problemOf(file.remove)
    if (problem !== undefined) report.note(`${file.name} can't be removed: ${problem}`, { sink: file.name })
  }
  const revokedTokenIds = await revokeAll(shell, keeper).finally(endSoon)
  return { document: { stopped: true, revokedTokenIds }, ids: revokedTokenIds, lines: ['stopped', ...revokedTokenIds.map((id) => `revoked token ${id}`)] }
}

type Listening = Pick<Wanted, 'sockets' | 'loopbacks'> & { readonly closing: Closing; readonly report: Report }

async function listen(keeper: Keeper, { sockets, loopbacks, closing, report }: Listening): Promise<void> {
  for (const path of sockets) {
    const { where, close } = await serveSocket(path, keeper.view)
    closing.add(close)
    report.note(`listening on ${where}`, { socket: where })
  }
  for (const address of loopbacks) {
    const { where, close } = await serveLoopback(address, keeper.view)
    closing.add(close)
    report.note(`listening on http://${where}`, { listen: where })
  }
}

function look(keeper: Keeper): () => void {
  keeper.look()
  const timer = setInterval(() => keeper.look(), LOOK_MILLIS)
  return () => clearInterval(timer)
}
