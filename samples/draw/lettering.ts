import { type Color, line } from './shapes.ts'

/**
 * A plate alphabet of our own, so that no picture depends on the fonts of a machine. Each letter is
 * the middle line of its strokes, 84 high; `O` is wide and `0` narrow, `I` has feet and `1` none.
 */
const STROKE = 14
const HEIGHT = 84
const GAP = 25

type Glyph = readonly [width: number, strokes: string]

const OVAL = 'C31 0 36 9 36 26 V58 C36 75 31 84 18 84 C5 84 0 75 0 58 V26 C0 9 5 0 18 0 Z'
const RING = 'C36 0 42 9 42 26 V58 C42 75 36 84 21 84 C6 84 0 75 0 58 V26 C0 9 6 0 21 0 Z'
const BOWL = 'M0 84 V0 H19 Q36 0 36 23 Q36 46 19 46 H0'
const HOOK = 'M38 24 V20 Q38 0 19 0 Q0 0 0 20 V64 Q0 84 19 84 Q38 84 38 64'

const GLYPHS: Readonly<Record<string, Glyph>> = {
  A: [40, 'M0 84 L20 0 L40 84 M8 57 H32'],
  B: [36, 'M0 0 V84 H19 Q36 84 36 62 Q36 41 19 41 H0 M19 41 Q33 40 33 20 Q33 0 17 0 H0'],
  C: [38, `${HOOK} V60`],
  D: [38, 'M0 0 V84 H15 Q38 84 38 58 V26 Q38 0 15 0 Z'],
  E: [34, 'M34 0 H0 V84 H34 M0 41 H28'],
  F: [34, 'M34 0 H0 V84 M0 42 H28'],
  G: [38, `${HOOK} V46 H22`],
  H: [38, 'M0 0 V84 M38 0 V84 M0 41 H38'],
  I: [22, 'M0 0 H22 M11 0 V84 M0 84 H22'],
  J: [32, 'M32 0 V64 Q32 84 16 84 Q0 84 0 66'],
  K: [38, 'M0 0 V84 M38 0 L0 50 M14 34 L38 84'],
  L: [34, 'M0 0 V84 H34'],
  M: [44, 'M0 84 V0 L22 50 L44 0 V84'],
  N: [38, 'M0 84 V0 L38 84 V0'],
  O: [42, `M21 0 ${RING}`],
  P: [36, BOWL],
  Q: [42, `M21 0 ${RING} M25 60 L42 86`],
  R: [37, `${BOWL} M16 46 L37 84`],
  S: [36, 'M35 20 Q35 0 18 0 Q1 0 1 20 Q1 36 18 40 Q36 45 36 63 Q36 84 18 84 Q0 84 0 64'],
  T: [38, 'M0 0 H38 M19 0 V84'],
  U: [38, 'M0 0 V62 Q0 84 19 84 Q38 84 38 62 V0'],
  V: [40, 'M0 0 L20 84 L40 0'],
  W: [54, 'M0 0 L13 84 L27 16 L41 84 L54 0'],
  X: [38, 'M0 0 L38 84 M38 0 L0 84'],
  Y: [40, 'M0 0 L20 44 L40 0 M20 44 V84'],
  Z: [36, 'M0 0 H36 L0 84 H36'],
  0: [36, `M18 0 ${OVAL}`],
  1: [22, 'M0 20 L18 0 V84'],
  2: [36, 'M0 22 Q0 0 18 0 Q36 0 36 22 Q36 34 26 48 L0 84 H37'],
  3: [36, 'M1 18 Q3 0 18 0 Q34 0 34 20 Q34 39 15 39 M15 39 Q36 39 36 62 Q36 84 18 84 Q1 84 0 65'],
  4: [40, 'M29 84 V0 L0 60 H40'],
  5: [36, 'M34 0 H5 L2 40 Q8 32 18 32 Q36 32 36 58 Q36 84 17 84 Q2 84 0 66'],
  6: [36, 'M27 0 L5 42 Q0 50 0 60 Q0 84 18 84 Q36 84 36 60 Q36 37 18 37 Q9 37 5 43'],
  7: [36, 'M0 0 H36 L13 84'],
  8: [
    36,
    'M18 39 Q2 38 2 20 Q2 0 18 0 Q34 0 34 20 Q34 38 18 39 Q0 40 0 62 Q0 84 18 84 Q36 84 36 62 Q36 40 18 39',
  ],
  9: [36, 'M9 84 L31 42 Q36 34 36 24 Q36 0 18 0 Q0 0 0 24 Q0 47 18 47 Q27 47 31 41'],
  '-': [18, 'M0 42 H18'],
  ' ': [12, ''],
}

type Placement = { x: number; y: number; height: number; maxWidth?: number; color: Color }

/** The text centred on (x, y); drawn narrower, never lower, where it exceeds `maxWidth`. */
export function letter(text: string, { x, y, height, maxWidth, color }: Placement): string {
  const glyphs = [...text].map(glyphOf)
  const width = glyphs.reduce((sum, [glyphWidth]) => sum + glyphWidth + GAP, STROKE - GAP)
  const scale = height / (HEIGHT + STROKE)
  const squeeze = Math.min(1, (maxWidth ?? Number.POSITIVE_INFINITY) / (width * scale))

  let left = (STROKE - width) / 2
  const strokes = glyphs.map(([glyphWidth, d]) => {
    const svg = `<g transform="translate(${left} ${-HEIGHT / 2})">${line(d, color, STROKE)}</g>`
    left += glyphWidth + GAP
    return svg
  })
  return `<g transform="translate(${x} ${y}) scale(${scale * squeeze} ${scale})"
    stroke-linecap="round" stroke-linejoin="round">${strokes.join('')}</g>`
}

function glyphOf(character: string): Glyph {
  const glyph = GLYPHS[character]
  if (glyph === undefined) throw new Error(`the sample alphabet has no '${character}'`)
  return glyph
}
