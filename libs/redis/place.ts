import { ConfigError } from '../env.js'
import type { Log } from '../log.js'
import { isAnyGiven, openStoreTls, problemsOf, type StoreTls } from '../store-tls.js'
import { isByTls } from './redis-url.js'

/** Where Redis is, and how it is known there. */
export type RedisPlace = {
  readonly url: string
  /** For a `rediss` URL, and for the Sentinels too where it names them. */
  readonly tls?: StoreTls | undefined
}

export type RedisConfig = {
  readonly REDIS_URL?: string | undefined
  readonly REDIS_CA_FILE?: string | undefined
  readonly REDIS_CERTIFICATE_FILE?: string | undefined
  readonly REDIS_KEY_FILE?: string | undefined
}

/** Refuses files that would be of no use: somebody believes that there is TLS. */
export function redisPlace(config: RedisConfig, log: Log): RedisPlace | undefined {
  const { REDIS_URL: url } = config
  const files = { caFile: config.REDIS_CA_FILE, certificateFile: config.REDIS_CERTIFICATE_FILE, keyFile: config.REDIS_KEY_FILE }
  const problems = problemsOf('REDIS', files)
  const isSecret = url !== undefined && isByTls(url)
  if (isAnyGiven(files) && !isSecret) problems.push('REDIS_URL: must be rediss:// or rediss+sentinel://, since REDIS_CA_FILE or a certificate says that there is TLS')
  if (problems.length > 0) throw new ConfigError(problems)
  return url === undefined ? undefined : { url, tls: isSecret ? openStoreTls('REDIS', files, log) : undefined }
}
