import { bumper, exhausts, lamps, recess } from './car-tail.ts'
import { both, box, clipped, fill, line, outline, shade, symmetric } from './shapes.ts'
import {
  type Body,
  emblem,
  PAINTS,
  type Paint,
  type PaintName,
  undercarriage,
  type Vehicle,
} from './vehicles.ts'

/** A car, van or pickup driving away from us; `braking` lights its lamps up. */
export function carRear(
  body: Body,
  color: PaintName,
  { braking = false, plateWidth = 176 } = {},
): Vehicle {
  const paint = PAINTS[color]
  const boxy = body.type === 'Van' || body.type === 'Pickup Truck'
  const plateY = -(body.floor + (body.belt - body.floor) * (boxy ? 0.3 : 0.46))
  const svg = [
    undercarriage(body.half, body.tyre, body.floor),
    exhausts(body),
    cabin(body, paint),
    window(body, color),
    shell(body, paint),
    boxy ? doors(body, paint) : lid(body, paint),
    lamps(body, braking),
    bumper(body, paint, boxy ? 40 : 54),
    recess(plateY, plateWidth),
  ].join('')
  const plate = { y: plateY, width: plateWidth }
  return {
    type: body.type,
    orientation: 'Rear',
    color,
    svg,
    halfWidth: body.half,
    height: body.roof,
    plate,
  }
}

function cabin({ half, roof, roofHalf, belt }: Body, { light, base, dark }: Paint): string {
  return shade(
    symmetric([
      [0, -roof],
      [roofHalf, -roof + 4, 46],
      [half - 20, -belt + 6, 16],
      [0, -belt + 14],
    ]),
    light,
    base,
    dark,
  )
}

function window({ type, half, roof, roofHalf, belt }: Body, color: PaintName): string {
  const edge = roof - (type === 'Van' ? 58 : 24)
  const sill = -belt + (type === 'Van' ? -30 : 0)
  const inset = type === 'Van' ? 40 : 48
  const glass = symmetric([
    [0, -edge],
    [roofHalf - 16, -edge + 3, 24],
    [half - inset, sill, 16],
    [0, sill + 6],
  ])
  const headrest = fill(
    box(36, sill - (edge + sill) * 0.5, 54, 120, 20),
    '#0e1a26',
    'opacity="0.6"',
  )
  const gleam = fill(
    outline([
      [100, -roof],
      [150, -roof],
      [60, -belt + 20],
      [10, -belt + 20],
    ]),
    '#ffffff',
    'opacity="0.13"',
  )
  const name = `rear-glass-${type}-${color}`.replace(' ', '-')
  return [
    shade(glass, '#22303f', '#40586c', '#6c8799'),
    clipped(name, glass, both(headrest) + gleam),
    `<path d="${glass}" fill="none" stroke="#10151b" stroke-width="4"/>`,
    fill(box(-26, -edge + 5, 52, 7, 3), '#7d1f1f'),
  ].join('')
}

function shell({ half, belt, floor }: Body, { light, base, dark }: Paint): string {
  return shade(
    symmetric([
      [0, -belt],
      [half - 34, -belt + 4, 22],
      [half - 2, -belt + 46, 30],
      [half, -floor - 70, 24],
      [half - 6, -floor, 22],
      [0, -floor + 3],
    ]),
    light,
    base,
    base,
    dark,
  )
}

/** The lid of a boot or tailgate, with the maker's emblem and a bright bar. */
function lid({ half, belt, floor }: Body, { light, base, dark }: Paint): string {
  const depth = (belt - floor) * 0.62
  return [
    shade(
      symmetric([
        [0, -belt + 8],
        [half - 66, -belt + 11, 16],
        [half - 84, -belt + depth, 18],
        [0, -belt + depth + 3],
      ]),
      light,
      base,
    ),
    line(
      `M${66 - half} ${-belt + 12} L${84 - half} ${-belt + depth - 8} Q0 ${-belt + depth + 8} ${half - 84} ${-belt + depth - 8} L${half - 66} ${-belt + 12}`,
      dark,
      2.5,
      'opacity="0.55"',
    ),
    emblem(-belt + 25, 13),
  ].join('')
}

/** The two doors of a van, or the tailgate of a pickup. */
function doors({ type, half, roof, belt, floor }: Body, { light, dark }: Paint): string {
  if (type === 'Pickup Truck') {
    const gate = symmetric([
      [0, -belt + 10],
      [half - 52, -belt + 10, 10],
      [half - 52, -floor - 46, 10],
      [0, -floor - 46],
    ])
    return [
      fill(box(-half + 6, -belt - 6, half * 2 - 12, 12, 5), '#1b1f25'),
      `<path d="${gate}" fill="none" stroke="${dark}" stroke-width="3" opacity="0.7"/>`,
      line(`M${70 - half} ${-belt + 32} H${half - 70}`, light, 4, 'opacity="0.8"'),
      fill(box(-36, -belt + 46, 72, 20, 8), '#1b1f25'),
    ].join('')
  }
  return [
    line(`M0 ${-roof + 26} V${-floor - 40}`, dark, 5),
    both(fill(box(10, -belt + 30, 14, 46, 6), '#1b1f25')),
    both(line(`M${half - 40} ${-belt + 4} V${-floor - 44} H6`, dark, 2.5, 'opacity="0.6"')),
  ].join('')
}
