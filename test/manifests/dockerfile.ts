/** A `COPY --from=STAGE SOURCE DESTINATION`; both paths are absolute in their stages. */
export type Copy = { readonly stage: string; readonly source: string; readonly destination: string }

/** What the last stage of a Dockerfile copies, whom it runs as, and how its packages are installed. */
export type Image = { readonly copies: readonly Copy[]; readonly user: string; readonly entrypoint: readonly string[]; readonly install: readonly string[] }

export function readDockerfile(text: string): Image {
  const stages = text.split(/^FROM /m).slice(1)
  const last = stages.at(-1) ?? ''
  const dependencies = stages.find((stage) => /^\S+ AS dependencies$/m.test(stage)) ?? ''
  const copies = linesOf(last, 'COPY').map((line): Copy => {
    const [, stage = '', source = '', destination = ''] = /^--from=(\S+) (\S+) (\S+)$/.exec(line) ?? []
    if (stage === '') throw new Error(`this test does not read COPY ${line}`)
    return { stage, source, destination: destination.replace(/^\.\//, '/app/') }
  })
  const [, ...install] = (linesOf(dependencies, 'RUN')[0] ?? '').split(' ')
  return { copies, user: linesOf(last, 'USER')[0] ?? '', entrypoint: (linesOf(last, 'ENTRYPOINT')[0] ?? '').match(/[^[\]", ]+/g) ?? [], install }
}

const linesOf = (stage: string, instruction: string): string[] =>
  stage.split('\n').flatMap((line) => (line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1)] : []))
