import type { Outcome } from './raw-calls.js'

/** Every byte that the caller gets, but for what names this one call and the server's time. */
export function toldBy({ code, details, answer, headers, trailers }: Outcome): unknown {
  const [requestId] = trailers.get('x-request-id')
  const masked = (bytes: Buffer) => bytes.toString('latin1').replaceAll(String(requestId), '<request id>')
  const inOrder = (metadata: Outcome['trailers']) =>
    Object.entries(metadata.toJSON())
      .filter(([name]) => name !== 'date')
      .map(([name, values]) => [name, values.map((value) => masked(Buffer.from(value)))])
  return { code, details, answer, headers: inOrder(headers), trailers: inOrder(trailers) }
}
