import { runService } from '#libs/service-process.js'
import { createApp } from './app.js'
import { configSchema } from './config.js'

await runService('identity-registry', configSchema, process.env, (config, log) => createApp(config, { log }))
