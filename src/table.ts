/**
 * A table for people that is written as its rows come: columns two blanks apart, a rule under the heads. The columns are
 * as wide as the first rows need.
 */
export function createTable(
  heads: readonly string[],
): (rows: readonly (readonly string[])[]) => string[] {
  let widths: number[] | undefined
  return (rows) => {
    const isBegun = widths !== undefined
    widths ??= heads.map((head, column) =>
      rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), head.length),
    )
    const wide = widths
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, column) => cell.padEnd(wide[column] ?? 0))
        .join('  ')
        .trimEnd()
    const top = isBegun ? [] : [line(heads), wide.map((width) => '─'.repeat(width)).join('  ')]
    return [...top, ...rows.map(line)]
  }
}

/** A table that is there as a whole. */
export function tableLines(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  return createTable(heads)(rows)
}
