// Keys that a faulty library made (ROCA, CVE-2017-15361): their moduli are powers of 65537 modulo each of these primes.

const PRIMES = [11n, 13n, 17n, 19n, 37n, 53n, 61n, 71n, 73n, 79n, 97n, 103n, 107n, 109n, 127n, 151n, 157n]

const POWERS = PRIMES.map((prime): readonly [bigint, ReadonlySet<bigint>] => [prime, powersOf(65_537n % prime, prime)])

/** Whether the modulus has the mark of such a key, which one in two hundred million others has too. */
export const isRocaModulus = (modulus: bigint): boolean => POWERS.every(([prime, powers]) => powers.has(modulus % prime))

function powersOf(base: bigint, prime: bigint): Set<bigint> {
  const powers = new Set<bigint>()
  for (let power = 1n; !powers.has(power); power = (power * base) % prime) powers.add(power)
  return powers
}
