import { lstat, rm } from 'node:fs/promises'
import { connect } from 'node:net'

/** Removes a socket's file on which nobody listens: a process that was killed leaves it, and it keeps the next one from starting. */
export async function removeAbandonedSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then((file) => file.isSocket(), () => false)
  if (isSocket && !(await isListenedOn(path))) await rm(path, { force: true })
}

/** Taken for listened on where that can't be known. */
function isListenedOn(path: string): Promise<boolean> {
  return new Promise((answer) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      answer(true)
    })
    probe.once('error', (error) => answer(!('code' in error) || error.code !== 'ECONNREFUSED'))
  })
}
