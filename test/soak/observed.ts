// What a run writes down, for the judge.

/** Of one call, or of several that make one piece of work. */
export type Work = {
  readonly stream: string
  readonly sent: number
  readonly millis: number
  /** The kind of the error that ended it, and its reason. */
  readonly error?: { readonly kind: string; readonly text: string }
}

/** One question whose answer is known. */
export type Asked = {
  readonly question: string
  readonly sent: number
  readonly answer: 'allow' | 'deny' | 'rejected'
  readonly due: Asked['answer']
  /** When the revocation that makes it due was acknowledged: until the bound after that, the answer before is right as well. */
  readonly revoked?: number
}

/** Something that was done to the system, or to the machine by others; over when all was there again. */
export type Disturbance = { readonly kind: string; readonly target: string; readonly from: number; readonly to: number }

export type Sample = { readonly at: number; readonly rssBytes: number; readonly descriptors: number; readonly loopDelayMillis: number | undefined }

/** A process from its start to its end. */
export type Life = { readonly name: string; readonly pid: number; readonly samples: readonly Sample[] }

export type Observed = {
  readonly boundMillis: number
  readonly work: readonly Work[]
  readonly asked: readonly Asked[]
  readonly disturbances: readonly Disturbance[]
  readonly lives: readonly Life[]
}
