import { describe, expect, it } from 'vitest'
import { EPOCH, OTHER_EPOCH, settle, watch } from '../../test/support/hand-feed.js'
import { type Answer, pullServer } from './serve.js'

const organizationId = '01900000-0000-7000-8000-000000000000'

const read = (head: number, after: number, { epoch = EPOCH, pruned = 0 } = {}): Answer => ({
  epoch,
  head,
  databaseTime: new Date(0),
  boundMillis: 250,
  promised: { durability: 'local', keptBoundMillis: 250 },
  ageMillis: 0,
  changes: Array.from({ length: head }, (_, at) => ({ seq: at + 1, organizationId, entities: [`identity/${at + 1}`] })).filter(({ seq }) => seq > after && seq > pruned),
})

/** A server over a database that reads when the test says so. */
function served() {
  const reads: { readonly after: number; answer(answer: Answer): Promise<void>; fail(): Promise<void> }[] = []
  const pulls = pullServer(
    (after) =>
      new Promise((resolve, reject) => {
        reads.push({
          after,
          answer: (answer) => {
            resolve(answer)
            return settle()
          },
          fail: () => {
            reject(new Error('no database'))
            return settle()
          },
        })
      }),
  )
  const pull = (seq: number, epoch = EPOCH) => watch(pulls({ epoch, seq, current: false }))
  return { reads, pull }
}

const numbers = (seqs: number[]) => ({ value: { head: 5, changes: seqs.map((seq) => ({ seq })) } })

describe('an owner that is pulled', () => {
  it('answers with what is after the asked position', async () => {
    const { reads, pull } = served()
    const pulled = pull(3)
    await settle()
    expect(reads).toMatchObject([{ after: 3 }])
    await reads[0]?.answer(read(5, 3))
    expect(pulled.outcome).toEqual({ value: read(5, 3) })
  })

  // The read that runs may have seen less than was committed when a pull came: it answers nobody who came since. Seen to
  // fail with pulls that join the read that runs.
  it('reads again for whoever came while a read ran', async () => {
    const { reads, pull } = served()
    pull(3)
    await settle()
    const later = pull(3)
    await settle()
    await reads[0]?.answer(read(4, 3))
    expect(later.outcome).toBe('waits')
    expect(reads).toHaveLength(2)
    await reads[1]?.answer(read(5, 3))
    expect(later.outcome).toMatchObject(numbers([4, 5]))
  })

  // Any number of replicas cost the database one statement at a time. Seen to fail with a read for each pull.
  it('reads once for all who wait, from the earliest position, and answers each from its own', async () => {
    const { reads, pull } = served()
    pull(5)
    await settle()
    const waiting = [4, 2, 5, 3].map((seq) => pull(seq))
    await settle()
    expect(reads).toHaveLength(1)
    await reads[0]?.answer(read(5, 5))
    expect(reads.map(({ after }) => after)).toEqual([5, 2])
    await reads[1]?.answer(read(5, 2))
    expect(waiting.map(({ outcome }) => outcome)).toMatchObject([numbers([5]), numbers([3, 4, 5]), numbers([]), numbers([4, 5])])
  })

  it('sends no changes to whoever asks from another epoch: they are not those after its position', async () => {
    const { reads, pull } = served()
    const pulled = pull(3, OTHER_EPOCH)
    await settle()
    await reads[0]?.answer(read(5, 3))
    expect(pulled.outcome).toMatchObject(numbers([]))
  })

  it('goes on after a read that failed, and tells only those whom it was for', async () => {
    const { reads, pull } = served()
    const failed = pull(3)
    await settle()
    const next = pull(3)
    await reads[0]?.fail()
    expect(failed.outcome).toMatchObject({ error: { message: 'no database' } })
    await reads[1]?.answer(read(5, 3))
    expect(next.outcome).toMatchObject(numbers([4, 5]))
  })
})
