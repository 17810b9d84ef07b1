/**
 * What a user wrote for a plate as a pattern of SQL's LIKE, for a text in lower case without blanks, dashes and dots: `*`
 * stands for any characters, `?` for one.
 */
export function likePattern(text: string): string {
  return text
    .toLowerCase()
    .replace(/[ .-]/g, '')
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_')
}
