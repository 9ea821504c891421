import { Project as ProjectMessage } from '#libs/wire/gen/countersign/registry/v1/project.js'
import type { Project } from '../domain/identity.js'

export const toProjectMessage = (project: Project): ProjectMessage => ProjectMessage.fromPartial(project)
