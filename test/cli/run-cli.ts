import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CLI = ['--conditions=development', '--import', import.meta.resolve('tsx'), fileURLToPath(new URL('../../cli/main.ts', import.meta.url))]

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

type Settings = { readonly folder: string; readonly environment?: Readonly<Record<string, string>> }

/** The command line as a process of its own in a folder, without anything of whoever runs the tests. */
export const runCli = (args: readonly string[], { folder, environment = {} }: Settings): Promise<Ran> =>
  new Promise((done) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment }
    const child = execFile(process.execPath, [...CLI, ...args], { cwd: folder, env }, (_error, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr }))
  })
