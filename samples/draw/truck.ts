import { letter } from './lettering.ts'
import { both, box, clipped, disc, fill, glow, line, outline, shade, symmetric } from './shapes.ts'
import { emblem, PAINTS, type PaintName, undercarriage, type Vehicle } from './vehicles.ts'

/** The cab of a big lorry coming towards us, its box body behind it. */
export function truckFront(color: PaintName, name: string): Vehicle {
  const { light, base, dark } = PAINTS[color]
  const glass = symmetric([
    [0, -446],
    [176, -444, 18],
    [186, -300, 22],
    [0, -292],
  ])
  const driver = disc(96, -366, 23, '#0b1520') + fill(box(50, -346, 92, 120, 30), '#0b1520')
  const wheel = line('M60 -291 A36 32 0 0 1 132 -291', '#060c13', 8)
  const gleam = fill(
    outline([
      [40, -460],
      [96, -460],
      [0, -280],
      [-56, -280],
    ]),
    '#ffffff',
    'opacity="0.16"',
  )
  const bar = (y: number) =>
    fill(box(-136, y, 272, 12, 5), '#12151a') + line(`M-130 ${y + 14} H130`, light, 2)
  const svg = [
    undercarriage(222, 60, 60),
    shade(box(-214, -610, 428, 470, 14), '#f4f6f8', '#d5dbe1', '#a7b0ba'),
    both(fill(box(188, -596, 14, 12, 4), '#ff9d2e')),
    shade(
      symmetric([
        [0, -560],
        [150, -552, 30],
        [196, -470, 26],
        [212, -300, 24],
        [216, -60, 20],
        [0, -56],
      ]),
      light,
      base,
      base,
      dark,
    ),
    letter(name, { x: 0, y: -506, height: 34, maxWidth: 250, color: '#ffffff' }),
    fill(
      symmetric([
        [0, -474],
        [186, -468, 10],
        [192, -440, 10],
        [0, -446],
      ]),
      '#151a20',
    ),
    shade(glass, '#2b4054', '#5a7b93', '#9abacb'),
    clipped(`truck-glass-${color}`, glass, driver + wheel + gleam),
    line('M-16 -292 L-104 -316 M92 -294 L0 -318', '#10151b', 5, 'stroke-linecap="round"'),
    `<path d="${glass}" fill="none" stroke="#10151b" stroke-width="5"/>`,
    both(
      fill(box(214, -432, 36, 112, 10), '#15191e') +
        line('M190 -424 H222 M196 -336 H222', '#15191e', 9),
    ),
    emblem(-258, 20),
    ...[-226, -202, -178].map(bar),
    shade(
      symmetric([
        [0, -152],
        [218, -156, 14],
        [220, -58, 18],
        [0, -52],
      ]),
      '#49515c',
      '#2b3038',
      '#191c21',
    ),
    both(
      fill(
        outline([
          [128, -146, 10],
          [208, -150, 16],
          [208, -100, 16],
          [138, -98, 14],
        ]),
        '#11151a',
        'stroke="#8f99a4" stroke-width="3"',
      ) +
        disc(156, -123, 17, '#fff6d5') +
        disc(188, -125, 14, '#e3ecf4') +
        disc(176, -76, 10, '#ffdf8a') +
        glow([156, -123], 66, '#fff3c4', { opacity: 0.5 }),
    ),
  ].join('')
  return {
    type: 'Big Truck',
    orientation: 'Front',
    color,
    svg,
    halfWidth: 250,
    height: 610,
    plate: { y: -114, width: 190 },
  }
}
