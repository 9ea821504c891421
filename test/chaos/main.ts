import { runProgram } from '../support/long-run.js'
import { runChaos } from './run.js'

// `npm run chaos`: changes and asks while everything breaks, and finds whatever should not have been answered.

const HELP = `Usage: npm run chaos -- --minutes N [--seed S]

Runs three authorization-checks, a sidecar behind their relays, two registries and two exchanges on a PostgreSQL and a Redis of their own, changes what
identities may do by every method that there is, breaks processes, connections and data the while, and asks all the time.
Ends in one line with what was counted; exit code 1 when an answer was wrong, when a fault was not recovered from within
5 seconds, when something acknowledged was lost, or when too little happened to prove anything.

  --minutes N   how long, 0.2 or more (default: 5)
  --seed S      the same choices as in the run that printed it (default: a new one)
  --help        this

test/chaos/README.md says how to read the last line.
`

const GROUPS = 12
const ASKERS = 14

runProgram({
  help: HELP,
  standardMinutes: 5,
  run: async (given) => {
    const { line, stories, missing } = await runChaos({ ...given, groups: GROUPS, askers: ASKERS, from: 'dist' })
    for (const story of stories) given.say(`\n${story}`)
    process.stdout.write(`${line}${missing.length === 0 ? '' : `; proved nothing: ${missing.join(', ')}`}\n`)
    return stories.length === 0 && missing.length === 0
  },
})
