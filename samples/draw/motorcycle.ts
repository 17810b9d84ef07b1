import { both, box, disc, fill, glow, line, outline, shade, symmetric } from './shapes.ts'
import { PAINTS, type PaintName, type Vehicle } from './vehicles.ts'

/** A motorcycle driving away from us, its rider in the saddle. */
export function motorcycleRear(color: PaintName): Vehicle {
  const { light, base, dark } = PAINTS[color]
  const svg = [
    glow([0, -4], 150, '#05070a', { opacity: 0.7, flatness: 0.13, core: 0.4 }),
    handlebar(),
    legs(),
    fill(box(-33, -190, 66, 190, 30), '#17191d'),
    fill(box(-22, -190, 44, 186, 20), '#26292f'),
    line('M-10 -180 L10 -160 M-10 -60 L10 -40 M-10 -30 L10 -10', '#15171b', 5),
    shade(box(44, -132, 38, 74, 16), '#d9dfe5', '#6f7984'),
    disc(63, -84, 12, '#15181c'),
    rider(light, base, dark),
    shade(
      symmetric([
        [0, -298],
        [62, -292, 18],
        [74, -236, 16],
        [40, -206, 12],
        [0, -204],
      ]),
      light,
      base,
      dark,
    ),
    fill(
      symmetric([
        [0, -262],
        [44, -264, 10],
        [36, -232, 12],
        [0, -230],
      ]),
      '#e2352c',
      'stroke="#5a1010" stroke-width="3"',
    ),
    glow([0, -246], 90, '#ff3224', { opacity: 0.45 }),
    both(line('M60 -232 H96', '#15191e', 7) + fill(box(92, -244, 26, 22, 10), '#ff9d2e')),
    fill(
      outline([
        [-16, -210],
        [16, -210],
        [30, -104, 8],
        [-30, -104, 8],
      ]),
      '#15181c',
    ),
  ].join('')
  return {
    type: 'Motorcycle',
    orientation: 'Rear',
    color,
    svg,
    halfWidth: 176,
    height: 560,
    plate: { y: -146, width: 104 },
  }
}

function handlebar(): string {
  return both(
    line('M40 -330 Q90 -348 138 -322', '#15191e', 13, 'stroke-linecap="round"') +
      line('M112 -332 L136 -392', '#15191e', 6) +
      shade(box(108, -424, 68, 42, 18), '#2b3038', '#15191e') +
      shade(box(114, -418, 56, 30, 13), '#b9d3e4', '#6f8ea3'),
  )
}

function legs(): string {
  return both(
    shade(
      outline([
        [30, -292, 10],
        [86, -276, 30],
        [126, -190, 30],
        [104, -84, 12],
        [72, -84, 12],
        [80, -180, 20],
        [34, -216, 10],
      ]),
      '#3b4656',
      '#222a35',
    ) + fill(box(68, -98, 52, 42, 12), '#15181c'),
  )
}

function rider(light: string, base: string, dark: string): string {
  return [
    both(
      shade(
        outline([
          [60, -452, 24],
          [104, -440, 30],
          [142, -352, 24],
          [150, -314, 10],
          [122, -308, 10],
          [98, -366, 20],
          [66, -400, 8],
        ]),
        '#4b5868',
        '#2c3541',
      ) + fill(box(116, -334, 38, 32, 13), '#15181c'),
    ),
    shade(
      symmetric([
        [0, -470],
        [74, -462, 34],
        [92, -400, 30],
        [70, -276, 22],
        [0, -270],
      ]),
      '#55647a',
      '#39455a',
      '#252d3a',
    ),
    line('M0 -440 V-300', '#222a36', 3),
    fill(
      symmetric([
        [0, -392],
        [78, -404],
        [76, -384],
        [0, -370],
      ]),
      '#f4e04d',
    ),
    shade(box(-50, -560, 100, 112, 48), light, base, dark),
    fill(
      symmetric([
        [0, -470],
        [40, -474, 10],
        [36, -452, 14],
        [0, -448],
      ]),
      '#15191e',
    ),
    line('M0 -558 V-474', '#ffffff', 12, 'opacity="0.85"'),
  ].join('')
}
