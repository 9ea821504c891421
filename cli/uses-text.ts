/** `3 of 10`, or nothing where there is no limit: then nobody counts. */
export const usesText = ({ uses, useLimit }: { readonly uses: number; readonly useLimit: number }): string | undefined => (useLimit === 0 ? undefined : `${uses} of ${useLimit}`)
