import type { Command } from 'commander'
import { runMigrate } from '../deploy/database/run.js'
import { addCommand } from './command.js'

/** For whoever runs the database: it speaks to PostgreSQL itself, and to no service. */
export function addMigrate(program: Command): void {
  addCommand(program, {
    usage: 'migrate <plan|up|status>',
    description: 'Brings the schemas of both services up to date; `migrate help` says more.',
    example: 'migrate plan',
  }).action(async (word: string) => {
    process.exitCode = await runMigrate([word], process.env, {
      out: (text) => void process.stdout.write(text),
      tell: (text) => void process.stderr.write(text),
    })
  })
}
