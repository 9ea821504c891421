import { type PlacedContainer, type Rendering, type Workload, containersOf, idOf } from './rendering.js'

/** What is wrong with which object (`Kind/name`), and what to do about it. */
export type Finding = { readonly object: string; readonly message: string }

/** One thing that must hold; its name is how it is known in the output and in test/manifests. */
export type Rule = { readonly name: string; readonly find: (rendering: Rendering) => readonly Finding[] }

/** What is wrong with one thing, in words that say what to do. */
export type Verdict = string | undefined | false

const findingsOf = (object: string, verdicts: readonly Verdict[]): Finding[] =>
  verdicts.flatMap((message) => (typeof message === 'string' ? [{ object, message }] : []))

export const perPod = (name: string, judge: (workload: Workload, rendering: Rendering) => Verdict | readonly Verdict[]): Rule => ({
  name,
  find: (rendering) => rendering.workloads.flatMap((workload) => findingsOf(workload.id, [judge(workload, rendering)].flat())),
})

export const perContainer = (name: string, judge: (placed: PlacedContainer, rendering: Rendering) => Verdict | readonly Verdict[]): Rule => ({
  name,
  find: (rendering) =>
    rendering.workloads
      .flatMap(containersOf)
      .flatMap((placed) => findingsOf(placed.workload.id, [judge(placed, rendering)].flat().map((said) => typeof said === 'string' && `container ${placed.container.name}: ${said}`))),
})

/** For objects of one kind. */
export const perObject = <Kind extends { readonly kind: string; readonly metadata?: { readonly name?: string } }>(
  name: string,
  is: (object: unknown) => object is Kind,
  judge: (object: Kind, rendering: Rendering) => Verdict | readonly Verdict[],
): Rule => ({
  name,
  find: (rendering) =>
    rendering.objects.flatMap((object) => (is(object) ? findingsOf(idOf(object), [judge(object, rendering)].flat()) : [])),
})
