import { parseArgs } from 'node:util'

// What is typed behind `npm start --`, with what each is for: help and docs/configuration.md are made of it.

export const startOptions = {
  data: { type: 'string', argument: ' DIR', meaning: 'where data, logs and credentials are kept', standard: '.countersign' },
  json: { type: 'boolean', argument: '', meaning: 'print one line of JSON on standard output when ready, and nothing else there', standard: '' },
  help: { type: 'boolean', short: 'h', argument: '', meaning: 'say what can be set', standard: '' },
} as const

export const parseStartOptions = () => parseArgs({ options: startOptions }).values

const optionLine = ([name, { argument, meaning, standard }]: [string, (typeof startOptions)[keyof typeof startOptions]]): string =>
  `  ${`--${name}${argument}`.padEnd(12)} ${meaning}${standard === '' ? '' : ` (default: ${standard})`}`

export const startHelp = (): string => `Usage: npm start -- [--data DIR] [--json]

${Object.entries(startOptions).map(optionLine).join('\n')}

Ports by REGISTRY_PORT (50051), EXCHANGE_PORT (50052), CHECK_PORT (50053); 0 takes a free one.
docs/configuration.md says what else is read from the environment.
`
