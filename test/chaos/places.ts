import { Violations } from '#libs/domain-error.js'
import { revisionFrom } from '#libs/freshness/revision.js'
import type { Place } from './history.js'

/** What a revision says. Callers of the product are not to look into it; whoever tests it may. */
export const placesIn = (revision: string): readonly Place[] => (revision === '' ? [] : revisionFrom(revision, new Violations().at('revision')))
