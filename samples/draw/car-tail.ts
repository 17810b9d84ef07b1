import { both, box, disc, fill, glow, line, outline, symmetric } from './shapes.ts'
import type { Body, Paint } from './vehicles.ts'

/** Both tail lights; `braking` lets them shine. */
export function lamps({ type, half, belt, floor }: Body, braking: boolean): string {
  const tall = type === 'Van' || type === 'Pickup Truck'
  const bright = braking ? '#ff3d30' : '#c32a26'
  const depth = belt - floor
  const shape = tall
    ? box(half - 42, -belt + 16, 32, depth * 0.5, 9)
    : outline([
        [half - 82, -belt + 20, 8],
        [half - 12, -belt + 14, 16],
        [half - 3, -belt + depth * 0.42, 16],
        [half - 44, -belt + depth * 0.46, 14],
        [half - 58, -belt + depth * 0.28, 10],
        [half - 84, -belt + depth * 0.25, 8],
      ])
  const y = -belt + depth * (tall ? 0.28 : 0.25)
  return both(
    [
      fill(shape, bright, 'stroke="#4d1010" stroke-width="3"'),
      tall
        ? fill(box(half - 36, y + 12, 20, depth * 0.12, 5), '#f3ede0') +
          fill(box(half - 36, y - depth * 0.12, 20, depth * 0.1, 5), '#ff8a3c')
        : line(
            `M${half - 76} ${-belt + 28} L${half - 20} ${-belt + 24} L${half - 14} ${-belt + depth * 0.34}`,
            braking ? '#ffb1a6' : '#f0746a',
            5,
            'stroke-linejoin="round" stroke-linecap="round"',
          ),
      braking ? glow([half - 34, y], 130, '#ff3224', { opacity: 0.5 }) : '',
    ].join(''),
  )
}

/** The rear bumper, its top edge `depth` above the floor. */
export function bumper({ half, floor }: Body, { light, dark }: Paint, depth: number): string {
  return [
    line(
      `M${5 - half} ${-floor - depth - 2} Q0 ${-floor - depth + 8} ${half - 5} ${-floor - depth - 2}`,
      dark,
      2.5,
      'opacity="0.55"',
    ),
    line(
      `M${8 - half} ${-floor - depth + 2} Q0 ${-floor - depth + 12} ${half - 8} ${-floor - depth + 2}`,
      light,
      2,
      'opacity="0.6"',
    ),
    fill(
      symmetric([
        [0, -floor - 20],
        [half - 60, -floor - 20, 10],
        [half - 40, -floor, 8],
        [0, -floor + 3],
      ]),
      '#181c21',
    ),
    both(fill(box(half - 52, -floor - 32, 40, 11, 5), '#a3201d')),
  ].join('')
}

/** The dark hollow around the plate, with its two small lamps. */
export function recess(y: number, width: number): string {
  const half = width / 2 + 16
  return [
    fill(
      symmetric([
        [0, y - 34],
        [half - 12, y - 34, 10],
        [half, y + 30, 10],
        [0, y + 30],
      ]),
      '#0b0e12',
      'opacity="0.45"',
    ),
    both(disc(38, y - 29, 4, '#fff6d8')),
  ].join('')
}

/** Two tail pipes. */
export function exhausts({ half, floor }: Body): string {
  return both(
    fill(box(half - 116, -floor - 10, 40, 22, 8), '#7d8792') +
      fill(box(half - 110, -floor - 2, 28, 10, 5), '#15181c'),
  )
}
