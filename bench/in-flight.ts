/** How many calls are under way at a time, where a row does not say otherwise. */
export const IN_FLIGHT = 32
