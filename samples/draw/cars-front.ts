import { bumper, grille, headlights } from './car-face.ts'
import { both, box, clipped, disc, fill, line, outline, shade, symmetric } from './shapes.ts'
import {
  type Body,
  PAINTS,
  type Paint,
  type PaintName,
  undercarriage,
  type Vehicle,
} from './vehicles.ts'

/** A car, van or pickup coming towards us; `lit` switches its headlights on. */
export function carFront(
  body: Body,
  color: PaintName,
  { lit = false, rightHandDrive = false } = {},
): Vehicle {
  const paint = PAINTS[color]
  const plateY = -(body.floor + (body.nose - body.floor) * 0.33)
  const svg = [
    undercarriage(body.half, body.tyre, body.floor),
    roof(body, paint),
    windscreen(body, color, rightHandDrive ? -1 : 1),
    mirrors(body, paint),
    shell(body, paint),
    grille(body),
    headlights(body, lit),
    bumper(body, paint, plateY),
  ].join('')
  const height = body.roof + (body.type === 'SUV' ? 6 : 0)
  const plate = { y: plateY, width: 176 }
  return {
    type: body.type,
    orientation: 'Front',
    color,
    svg,
    halfWidth: body.half + 18,
    height,
    plate,
  }
}

function roof(
  { type, half, roof: top, roofHalf, belt }: Body,
  { light, base, dark }: Paint,
): string {
  const rail = `<rect x="${roofHalf - 30}" y="${-top - 6}" width="13" height="24" rx="6" fill="#2b3038"/>`
  return [
    type === 'SUV' ? both(rail) : '',
    shade(
      symmetric([
        [0, -top],
        [roofHalf, -top + 4, 46],
        [half - 22, -belt + 4, 16],
        [0, -belt + 14],
      ]),
      light,
      base,
      dark,
    ),
  ].join('')
}

function windscreen(
  { type, half, roof: top, roofHalf, belt }: Body,
  color: PaintName,
  side: 1 | -1,
): string {
  const edge = top - (type === 'Van' ? 62 : 22)
  const glass = symmetric([
    [0, -edge],
    [roofHalf - 12, -edge + 3, 26],
    [half - 44, -belt + 3, 14],
    [0, -belt + 10],
  ])
  const headrest = fill(
    box(42, -belt - (edge - belt) * 0.62, 50, 120, 20),
    '#0e1a26',
    'opacity="0.55"',
  )
  const driver = [
    disc(side * 68, -belt - (edge - belt) * 0.5, 21, '#0b1520'),
    fill(box(side * 68 - 44, -belt - (edge - belt) * 0.5 + 16, 88, 100, 30), '#0b1520'),
    line(
      `M${side * 68 - 36} ${-belt + 4} A36 30 0 0 1 ${side * 68 + 36} ${-belt + 4}`,
      '#060c13',
      7,
    ),
  ].join('')
  const gleam = (x: number, width: number) =>
    fill(
      outline([
        [x, -top],
        [x + width, -top],
        [x + width - 90, -belt + 20],
        [x - 90, -belt + 20],
      ]),
      '#ffffff',
      'opacity="0.16"',
    )
  return [
    shade(glass, '#31475c', '#5f8098', '#8fb0c2'),
    clipped(
      `glass-${type}-${color}`.replace(' ', '-'),
      glass,
      both(headrest) + driver + gleam(70, 46) + gleam(140, 18),
    ),
    fill(box(-20, -edge + 6, 40, 13, 6), '#141a22'),
    line(
      `M-10 ${-belt + 6} L-96 ${-belt - 8} M84 ${-belt + 6} L6 ${-belt - 8}`,
      '#141a22',
      4,
      'stroke-linecap="round"',
    ),
    `<path d="${glass}" fill="none" stroke="#10151b" stroke-width="4"/>`,
  ].join('')
}

function mirrors({ half, belt }: Body, { light, dark }: Paint): string {
  return both(
    line(`M${half - 40} ${-belt - 4} L${half - 6} ${-belt - 16}`, '#1a1e24', 12) +
      shade(box(half - 24, -belt - 36, 42, 34, 13), light, dark),
  )
}

function shell({ half, belt, nose, floor }: Body, { light, base, dark }: Paint): string {
  const bonnet = symmetric([
    [0, -belt + 2],
    [half - 56, -belt + 7, 14],
    [half - 34, -nose + 14, 22],
    [0, -nose + 22],
  ])
  return [
    shade(
      symmetric([
        [0, -belt],
        [half - 44, -belt + 4, 18],
        [half - 6, -nose + 6, 30],
        [half, -nose + 62, 24],
        [half - 5, -floor, 22],
        [0, -floor + 4],
      ]),
      light,
      base,
      base,
      dark,
    ),
    shade(bonnet, light, base),
    both(line(`M74 ${-belt + 8} L92 ${-nose + 20}`, dark, 2.5, 'opacity="0.5"')),
    line(
      `M${34 - half} ${-nose + 17} Q0 ${-nose + 29} ${half - 34} ${-nose + 17}`,
      dark,
      3,
      'opacity="0.7"',
    ),
  ].join('')
}
