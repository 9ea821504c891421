/** Whether a text is the one spelling of some bytes: without padding, spaces or bits that count for nothing. */
export const isCanonicalBase64Url = (text: string): boolean => text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text
