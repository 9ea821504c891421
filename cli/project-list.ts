import type { Command } from 'commander'
import { IdentityRegistryServiceService as registry } from '#libs/wire/gen/countersign/registry/v1/identity_registry.js'
import { ListProjectsRequest } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Answer } from './answer.js'
import { addCommand, type Run, type Shell } from './command.js'
import { allPages, LIMIT, parseLimit } from './pages.js'
import { table } from './table.js'

export function addProjectList(parent: Command, run: Run): void {
  const command = addCommand(parent, { usage: 'list', description: 'Lists the projects of the organization, oldest first.', example: 'project list' })
  command.option(...LIMIT, parseLimit).action((options: { limit?: number }) => run(command, (shell) => listProjects(shell, options.limit)))
}

async function listProjects(shell: Shell, limit: number | undefined): Promise<Answer> {
  const session = shell.session()
  const projects = await allPages(limit, async (page) => {
    const { projects: items, nextPageToken } = await session.call('registry', registry.listProjects, ListProjectsRequest.fromPartial(page))
    return { items, nextPageToken }
  })
  const rows = projects.map(({ id, name, createTime }) => [id, name, createTime])
  return {
    document: projects,
    ids: projects.map(({ id }) => id),
    lines: rows.length > 0 ? table(['ID', 'NAME', 'CREATED'], rows) : ['No projects.'],
  }
}
