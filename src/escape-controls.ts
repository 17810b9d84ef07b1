/**
 * Controls (C0 but for the line break, DEL, C1), what turns the direction of text round (bidirectional controls: a name may
 * read as another), and Unicode's own line breaks.
 */
const CONTROLS = /[^\P{Cc}\n]|[\p{Bidi_C}\u2028\u2029]/gu

/**
 * Text for a terminal or a log: file names, URLs, answers and the words of servers may hold characters that move the
 * cursor, color the screen, ring, or hide what stands before them. They are shown as `\x1b`, and above ASCII as
 * `\u009b`. In JSON, where none of the former can stand, the latter mean the same as the characters.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const code = character.codePointAt(0) ?? 0
    const hex = code.toString(16)
    return code < 0x20 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
  })
}
