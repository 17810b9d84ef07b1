import { letter } from './lettering.ts'
import { box, type Color, disc, fill, shade, times } from './shapes.ts'

/** How the plates of a country look; sizes in millimetres, drawn around (0, 0). */
export type PlateLook = {
  width: number
  height: number
  paper: readonly [top: Color, bottom: Color]
  ink: Color
  /** Letters on the blue band at the left end. */
  band?: string
  /** Whether the ring of stars of the European Union is above them. */
  stars?: boolean
  /** A second blue band at the right end. */
  endBand?: boolean
  /** Words above the text,. */
  header?: string
}

const WHITE: PlateLook['paper'] = ['#ffffff', '#eceff1']
const YELLOW: PlateLook['paper'] = ['#ffd44a', '#f6bd1c']
const LONG = { width: 520, height: 112, paper: WHITE, ink: '#14161a' }

export const PLATES = {
  belgium: { ...LONG, ink: '#8f1d2c', band: 'B', stars: true },
  britain: LONG,
  california: { ...LONG, width: 360, height: 180, ink: '#1d2f6f', header: 'CALIFORNIA' },
  france: { ...LONG, band: 'F', stars: true, endBand: true },
  germany: { ...LONG, band: 'D', stars: true },
  italyTwoLines: { ...LONG, width: 260, height: 212, band: 'I', stars: true },
  netherlands: { ...LONG, paper: YELLOW, band: 'NL', stars: true },
  norway: { ...LONG, band: 'N' },
  poland: { ...LONG, band: 'PL', stars: true },
  spain: { ...LONG, band: 'E', stars: true },
  turkey: { ...LONG, band: 'TR' },
} satisfies Record<string, PlateLook>

const BAND_WIDTH = 46
const BLUE = '#1f4aa8'

/** The plate with its text, one string a line, in the look's millimetres and centred on (0, 0). */
export function drawPlate(look: PlateLook, lines: readonly string[]): string {
  const { width, height, paper, ink, band, stars = false, endBand, header } = look
  const left = -width / 2
  const top = -height / 2
  const textLeft = left + (band === undefined ? 0 : BAND_WIDTH)
  const textRight = -left - (endBand === true ? BAND_WIDTH : 0)
  const textTop = top + (header === undefined ? 0 : 48)
  const lineHeight = (-top - textTop) / lines.length

  return [
    fill(box(left - 9, top - 9, width + 18, height + 18, 20), '#22262c'),
    shade(box(left, top, width, height, 14), ...paper),
    band === undefined ? '' : drawBand(left, height, band, stars),
    endBand === true ? drawBand(-left - BAND_WIDTH, height, undefined, stars) : '',
    header === undefined ? '' : drawHeader(look, header),
    ...lines.map((text, index) =>
      letter(text, {
        x: (textLeft + textRight) / 2,
        y: textTop + lineHeight * (index + 0.5) - (header === undefined ? 0 : 4),
        height: Math.min(84, lineHeight * 0.76) * (header === undefined ? 1 : 1.12),
        maxWidth: textRight - textLeft - 40,
        color: ink,
      }),
    ),
    `<path d="${box(left + 5, top + 5, width - 10, height - 10, 11)}" fill="none" stroke="${ink}" stroke-width="4" opacity="0.75"/>`,
  ].join('')
}

function drawBand(
  left: number,
  height: number,
  country: string | undefined,
  starred: boolean,
): string {
  const middle = left + BAND_WIDTH / 2
  const stars = times(starred ? 12 : 0, (index) => {
    const angle = (index * Math.PI) / 6
    return disc(
      Math.round(middle + Math.cos(angle) * 13),
      Math.round(-height / 2 + 32 + Math.sin(angle) * 13),
      2.4,
      '#ffd84d',
    )
  })
  const letters = { x: middle, y: height / 2 - 28, height: 28, maxWidth: 34, color: '#ffffff' }
  return [
    fill(box(left, -height / 2, BAND_WIDTH, height, 12), BLUE),
    ...stars,
    country === undefined ? '' : letter(country, letters),
  ].join('')
}

function drawHeader({ width, height }: PlateLook, header: string): string {
  const bolt = (x: number) => disc(x, -height / 2 + 27, 7, '#9aa3ad')
  return [
    letter(header, { x: 0, y: -height / 2 + 30, height: 28, maxWidth: 210, color: '#c2302c' }),
    bolt(-width / 2 + 44),
    bolt(width / 2 - 44),
  ].join('')
}
