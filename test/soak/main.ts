import { runProgram } from '../support/long-run.js'
import { report } from './report.js'
import { runSoak } from './run.js'

// `npm run soak`: a long time of ordinary work and ordinary trouble.

const HELP = `Usage: npm run soak -- [--minutes N] [--seed S]

Runs the three services, a PostgreSQL and a Redis at a steady rate of logins, checks, changes and revocations, and now and
then kills a service or Redis, empties Redis or cuts connections to PostgreSQL. Ends in a table and one line; exit code 1
when an answer was wrong, when memory or descriptors of a process grow after it has warmed up, when an error has no fault
to explain it, or when too little happened to prove anything.

  --minutes N   how long, 0.2 or more (default: 15); what grows shows from 5 on
  --seed S      the same choices as in the run that printed it (default: a new one)
  --help        this
`

runProgram({
  help: HELP,
  standardMinutes: 15,
  run: async (given) => {
    const run = await runSoak({ ...given, from: 'dist' })
    process.stdout.write(`${report(run)}\n`)
    return run.verdict.faults.length === 0
  },
})
