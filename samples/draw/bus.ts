import { letter } from './lettering.ts'
import { both, box, clipped, disc, fill, glow, line, outline, shade, symmetric } from './shapes.ts'
import { emblem, PAINTS, type PaintName, undercarriage, type Vehicle } from './vehicles.ts'

/** A city bus coming towards us, with its line and destination above the windscreen. */
export function busFront(color: PaintName, destination: string): Vehicle {
  const { light, base, dark } = PAINTS[color]
  const glass = symmetric([
    [0, -470],
    [206, -468, 22],
    [214, -214, 30],
    [0, -206],
  ])
  const seat = fill(box(40, -330, 56, 140, 20), '#0e1a26', 'opacity="0.5"')
  const driver = disc(112, -318, 26, '#0b1520') + fill(box(60, -296, 104, 130, 34), '#0b1520')
  const wheel = line('M76 -205 A38 34 0 0 1 150 -205', '#060c13', 8)
  const gleam = (x: number, width: number) =>
    fill(
      outline([
        [x, -480],
        [x + width, -480],
        [x + width - 110, -200],
        [x - 110, -200],
      ]),
      '#ffffff',
      'opacity="0.15"',
    )
  const svg = [
    undercarriage(230, 54, 40),
    shade(
      symmetric([
        [0, -560],
        [206, -556, 36],
        [230, -300, 30],
        [230, -36, 22],
        [0, -32],
      ]),
      light,
      base,
      base,
      dark,
    ),
    fill(
      symmetric([
        [0, -544],
        [190, -541, 18],
        [202, -474, 12],
        [0, -476],
      ]),
      '#12161b',
    ),
    letter(destination, { x: 0, y: -509, height: 40, maxWidth: 320, color: '#ffb52e' }),
    shade(glass, '#2b4054', '#5a7b93', '#9abacb'),
    clipped(
      `bus-glass-${color}`,
      glass,
      both(seat) + driver + wheel + gleam(60, 60) + gleam(-70, 24),
    ),
    line('M0 -470 V-206', '#10151b', 5),
    line('M-24 -206 L-130 -262 M24 -206 L20 -330', '#10151b', 5, 'stroke-linecap="round"'),
    `<path d="${glass}" fill="none" stroke="#10151b" stroke-width="6"/>`,
    both(
      line('M206 -476 Q246 -480 246 -436', '#15191e', 9) +
        fill(box(230, -440, 30, 84, 10), '#15191e'),
    ),
    fill(
      symmetric([
        [0, -190],
        [216, -192, 10],
        [220, -176, 6],
        [0, -172],
      ]),
      '#ffffff',
      'opacity="0.85"',
    ),
    emblem(-150, 17),
    both(
      fill(
        outline([
          [132, -152, 14],
          [214, -158, 18],
          [218, -108, 16],
          [146, -106, 16],
        ]),
        '#20262d',
        'stroke="#0e1216" stroke-width="3"',
      ) +
        disc(160, -130, 17, '#fff6d5') +
        disc(196, -132, 17, '#e3ecf4') +
        glow([160, -130], 70, '#fff3c4', { opacity: 0.5 }),
    ),
    line('M-226 -100 H226', dark, 3, 'opacity="0.6"'),
    fill(
      symmetric([
        [0, -62],
        [150, -62, 10],
        [166, -42, 8],
        [0, -40],
      ]),
      '#15181d',
    ),
  ].join('')
  return {
    type: 'Bus',
    orientation: 'Front',
    color,
    svg,
    halfWidth: 260,
    height: 560,
    plate: { y: -86, width: 190 },
  }
}
