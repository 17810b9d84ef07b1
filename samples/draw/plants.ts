import { WIDTH } from './scenery.ts'
import { at, both, box, type Color, disc, fill, glow, line, outline } from './shapes.ts'

/** A round tree whose trunk stands on (x, y). */
export function tree(x: number, y: number, scale: number, light: Color, dark: Color): string {
  const crown = [
    disc(-34, -110, 44, dark),
    disc(36, -112, 42, dark),
    disc(0, -148, 52, dark),
    disc(-10, -126, 46, light),
    disc(18, -150, 30, light),
  ]
  const shadow = glow([0, 0], 62, '#05070a', { opacity: 0.45, flatness: 0.2, core: 0.2 })
  const trunk = fill(
    outline([
      [-8, -90],
      [8, -90],
      [12, 0],
      [-12, 0],
    ]),
    '#6b4a32',
  )
  return at(x, y, scale, shadow + trunk + crown.join(''))
}

/** A fir, its branches in three tiers, tipped with `tip`. */
export function fir(x: number, y: number, scale: number, tip: Color, dark: Color): string {
  const tier = (top: number, half: number) =>
    both(
      fill(
        outline([
          [-1, top],
          [half, top + 78, 8],
          [-1, top + 70],
        ]),
        dark,
      ) +
        fill(
          outline([
            [-1, top],
            [half * 0.45, top + 34, 6],
            [-1, top + 28],
          ]),
          tip,
        ),
    )
  return at(
    x,
    y,
    scale,
    `${fill(box(-8, -40, 16, 40), '#5b4130')}${tier(-104, 66)}${tier(-152, 52)}${tier(-198, 38)}`,
  )
}

export function cactus(x: number, y: number, scale: number): string {
  const arm = line(
    'M0 -60 H36 V-104 M0 -40 H-34 V-84',
    '#3f7a4c',
    20,
    'stroke-linecap="round" stroke-linejoin="round"',
  )
  return at(
    x,
    y,
    scale,
    arm +
      line('M0 0 V-140', '#3f7a4c', 28, 'stroke-linecap="round"') +
      line('M-5 -4 V-138 M6 -4 V-138', '#5c9c66', 3),
  )
}

/** Three plants either side of a road, smaller towards the horizon, the farthest drawn first. */
export function roadside(plant: (x: number, y: number, scale: number) => string): string[] {
  const left: [number, number, number][] = [
    [350, 500, 0.6],
    [220, 545, 1],
    [64, 645, 1.55],
  ]
  return left.flatMap(([x, y, scale]) => [plant(x, y, scale), plant(WIDTH - x, y, scale)])
}
