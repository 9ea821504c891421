/** A proof that proves nothing. The reason is for the log: the caller is told CREDENTIALS_REJECTED, whatever it is. */
export class Unproven extends Error {
  override readonly name = 'Unproven'

  constructor(readonly reason: string) {
    super(reason)
  }
}
