import { runService } from '#libs/service-process.js'
import { createApp } from './app.js'
import { configSchema } from './config.js'

await runService({ name: 'identity-registry', schema: configSchema, environment: process.env, createApp: (config, log) => createApp(config, { log }) })
