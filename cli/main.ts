import { CommanderError } from 'commander'
import { explain, failureLines } from './failure.js'
import { commandLine } from './program.js'
import { runIn } from './run.js'

function report(error: unknown, json: boolean): void {
  const isHelp = error instanceof CommanderError && error.code.startsWith('commander.help')
  if (error instanceof CommanderError && (error.exitCode === 0 || isHelp)) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  const { exitCode, description } = explain(error)
  const lines = json ? [JSON.stringify({ error: description })] : failureLines(description)
  process.stderr.write(lines.map((line) => `${line}\n`).join(''))
  process.exitCode = exitCode
}

// `… | head -1` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

try {
  await commandLine(runIn({ environment: process.env, folder: process.cwd() })).parseAsync(process.argv)
} catch (error) {
  report(error, process.argv.includes('--json'))
}
