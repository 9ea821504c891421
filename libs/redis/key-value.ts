/**
 * Bytes under keys, each with an end. What it loses, delays or makes up costs time and never an answer: whoever reads a
 * value tests it. So nothing here rejects: in trouble a read finds nothing and a write does nothing, within
 * COMMAND_WITHIN_MILLIS, and while the trouble lasts at once.
 */
export type KeyValueStore = {
  /** One value for each key, in their order; undefined where there is none. */
  get(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>
  set(key: string, value: Buffer, ttlMillis: number): Promise<void>
  /** Tells whoever listens at this moment; a hint that may be lost. */
  publish(channel: string, message: string): void
  /** What is published from now on, as long as the connection holds; a lost one is made again. */
  listen(channel: string, onMessage: (message: string) => void): void
  /** Whether commands are answered at present; for a metric. */
  isUp(): boolean
  close(): Promise<void>
}

/** Where an owner says that its feed has something new; the message is the feed's name. */
export const HINTS = 'countersign:hints'

/** How long one command may take: less than asking the owner costs. */
export const COMMAND_WITHIN_MILLIS = 50
