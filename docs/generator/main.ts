import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationPage } from './configuration-page.js'

// `npm run docs`: writes what is generated in docs/. test/house/configuration-page.test.ts fails where that was forgotten.

const page = join(import.meta.dirname, '../configuration.md')
writeFileSync(page, configurationPage(readFileSync(page, 'utf8')))
