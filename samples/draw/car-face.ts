import { both, disc, fill, glow, line, outline, symmetric, times } from './shapes.ts'
import { type Body, emblem, type Paint } from './vehicles.ts'

/** The grille below the bonnet, its bars and emblem. */
export function grille({ type, half, nose, floor }: Body): string {
  const depth = (nose - floor) * (type === 'Pickup Truck' ? 0.4 : 0.33)
  const width = half - (type === 'Pickup Truck' ? 78 : 96)
  const top = -nose + 28
  const frame = symmetric([
    [0, top],
    [width, top + 3, 12],
    [width - 18, top + depth, 14],
    [0, top + depth + 4],
  ])
  const bars = times(Math.floor(depth / 12), (index) => {
    const y = top + 9 + index * 12
    return line(`M${-width + 14} ${y} H${width - 14}`, '#4b535e', 3)
  })
  return [
    fill(frame, '#15181d', 'stroke="#c9d1d9" stroke-width="4"'),
    ...bars,
    emblem(top + depth / 2, Math.min(19, depth / 2)),
  ].join('')
}

/** Both headlights; `lit` lets them shine. */
export function headlights({ half, nose, floor }: Body, lit: boolean): string {
  const depth = (nose - floor) * 0.26
  const top = -nose + 20
  const lamp = outline([
    [half - 92, top + 9, 8],
    [half - 14, top - 4, 18],
    [half - 6, top + depth * 0.8, 14],
    [half - 84, top + depth + 6, 12],
  ])
  const lens = (x: number, y: number, radius: number) =>
    disc(x, y, radius, lit ? '#fffbe6' : '#dfe9f2') +
    disc(x, y, radius * 0.55, lit ? '#ffffff' : '#9fb2c4')
  return both(
    [
      fill(lamp, '#2a323c', 'stroke="#0f1317" stroke-width="3"'),
      line(
        `M${half - 84} ${top + 15} L${half - 20} ${top + 5}`,
        lit ? '#ffffff' : '#c6d4e0',
        5,
        'stroke-linecap="round"',
      ),
      lens(half - 62, top + depth * 0.62, depth * 0.27),
      lens(half - 29, top + depth * 0.52, depth * 0.24),
      lit ? glow([half - 46, top + depth * 0.55], 120, '#fff3c4', { opacity: 0.45 }) : '',
    ].join(''),
  )
}

/** What is below the grille: the bumper's edge, air intake and fog lamps around the plate. */
export function bumper({ half, floor }: Body, { light, dark }: Paint, plateY: number): string {
  const intake = symmetric([
    [0, plateY + 26],
    [half - 84, plateY + 26, 8],
    [half - 62, -floor - 6, 12],
    [0, -floor - 4],
  ])
  const corner = outline([
    [half - 66, plateY + 2, 8],
    [half - 12, plateY - 8, 10],
    [half - 16, plateY + 32, 12],
    [half - 54, plateY + 34, 10],
  ])
  return [
    line(
      `M${6 - half} ${plateY - 28} Q0 ${plateY - 12} ${half - 6} ${plateY - 28}`,
      dark,
      2.5,
      'opacity="0.55"',
    ),
    fill(intake, '#15181d'),
    both(
      fill(corner, '#1c2026') +
        disc(half - 38, plateY + 12, 11, '#e8eef3') +
        disc(half - 38, plateY + 12, 6, '#aab9c6'),
    ),
    line(`M${36 - half} ${-floor - 3} H${half - 36}`, light, 3, 'opacity="0.5"'),
  ].join('')
}
