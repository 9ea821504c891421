/** How much work a proof may still take, in steps of some ten nanoseconds. What is not proven when it is spent is not proven. */
export class Budget {
  constructor(private left: number) {}

  /** Whether there was as much left. */
  take(steps: number): boolean {
    this.left -= steps
    return this.left >= 0
  }

  /** A part of it, for one of many proofs: none takes all that the others need. */
  upTo(steps: number): Budget {
    return new Part(this, steps)
  }
}

class Part extends Budget {
  constructor(private readonly whole: Budget, steps: number) {
    super(steps)
  }

  override take(steps: number): boolean {
    const isLeft = this.whole.take(steps)
    return super.take(steps) && isLeft
  }
}

/** Enough for the largest roles that people write, and a fifth of a second at the most. */
export const wholeBudget = (): Budget => new Budget(4_000_000)
