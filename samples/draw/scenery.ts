import {
  at,
  box,
  type Color,
  dice,
  disc,
  fill,
  glow,
  line,
  outline,
  shade,
  times,
} from './shapes.ts'

export const WIDTH = 1280
export const HEIGHT = 800

/** Shaded from the picture's top to the horizon, and a little below it, so that no gap shows. */
export function sky(horizon: number, ...colors: readonly Color[]): string {
  return shade(box(0, 0, WIDTH, horizon + 40), ...colors)
}

export function cloud(x: number, y: number, scale: number, color: Color, opacity = 0.9): string {
  const puffs = [disc(0, -22, 40, color), disc(52, -34, 52, color), disc(110, -20, 38, color)]
  const base = fill(box(-54, -26, 214, 44, 22), color)
  return `<g opacity="${opacity}">${at(x, y, scale, puffs.join('') + base)}</g>`
}

export function sun(x: number, y: number, radius: number, color: Color): string {
  return glow([x, y], radius * 4, color, { opacity: 0.55 }) + disc(x, y, radius, color)
}

/** A rolling ridge; `seed` picks its line. */
export function hills(seed: number, y: number, swing: number, top: Color, bottom: Color): string {
  const roll = dice(seed)
  const crests = times(8, (index) => {
    const [x, crest] = [index * 200, Math.round(y - roll() * swing)]
    return `S${x - 90} ${crest} ${x} ${crest}`
  })
  return shade(`M0 ${HEIGHT} L0 ${y} ${crests.join(' ')} L1400 ${HEIGHT} Z`, top, bottom)
}

type Skyline = {
  seed: number
  horizon: number
  tallest: number
  walls: readonly Color[]
  window: Color
  litShare: number
}

/** A row of flat-roofed blocks on the horizon; `litShare` of their windows shine. */
export function skyline({ seed, horizon, tallest, walls, window, litShare }: Skyline): string {
  const roll = dice(seed)
  const blocks: string[] = []
  for (let x = -20; x < WIDTH; ) {
    const width = 92 + Math.round(roll() * 5) * 22
    const height = Math.round(tallest * (0.45 + roll() * 0.55))
    const wall = walls[Math.floor(roll() * walls.length)] ?? '#888888'
    const top = horizon - height
    const windows: string[] = []
    for (let row = top + 20; row < horizon - 24; row += 32) {
      for (let column = x + 14; column < x + width - 20; column += 24) {
        const lit = roll() < litShare
        windows.push(
          `<rect x="${column}" y="${row}" width="13" height="18" fill="${lit ? '#ffd98a' : window}"/>`,
        )
      }
    }
    blocks.push(
      fill(box(x, top, width, height + 6), wall),
      fill(box(x - 3, top - 6, width + 6, 8), window),
      ...windows,
    )
    x += width + 4
  }
  return blocks.join('')
}

/** A terrace of gabled town houses standing on `ground`. */
export function houses(
  seed: number,
  ground: number,
  walls: readonly Color[],
  roofs: Color,
): string {
  const roll = dice(seed)
  return times(8, (index) => {
    const x = index * 168 - 30
    const top = ground - 190 - Math.round(roll() * 50)
    const windows = [top + 26, top + 96].flatMap((y) =>
      [x + 24, x + 70, x + 116].map((left) => pane(left, y)),
    )
    return [
      shade(
        outline([
          [x - 4, top],
          [x + 80, top - 76],
          [x + 164, top],
        ]),
        roofs,
        roofs,
      ),
      fill(box(x + 112, top - 70, 18, 50), '#7c4a3a'),
      shade(
        box(x, top - 2, 160, ground - top + 4),
        walls[index % walls.length] ?? '#cccccc',
        walls[index % walls.length] ?? '#cccccc',
      ),
      ...windows,
      fill(box(x + 66, ground - 54, 28, 54, 4), '#4a3428'),
    ].join('')
  }).join('')
}

function pane(x: number, y: number): string {
  return [
    fill(box(x, y, 24, 40, 3), '#f7f3ea'),
    shade(box(x + 3, y + 3, 18, 34, 2), '#8fb4c9', '#54768c'),
    line(`M${x + 12} ${y + 3} V${y + 37} M${x + 3} ${y + 18} H${x + 21}`, '#f7f3ea', 2),
  ].join('')
}

/** A flat-topped rock of the desert. */
export function mesa(x: number, ground: number, width: number, height: number): string {
  const inset = width * 0.22
  return [
    shade(
      outline([
        [x, ground],
        [x + inset, ground - height, 6],
        [x + width - inset, ground - height, 6],
        [x + width, ground],
      ]),
      '#c96f45',
      '#a85637',
    ),
    fill(
      outline([
        [x + width - inset, ground - height],
        [x + width, ground],
        [x + width * 0.62, ground],
        [x + width * 0.58, ground - height],
      ]),
      '#8b4530',
      'opacity="0.55"',
    ),
    line(
      `M${x + inset * 0.6} ${ground - height * 0.55} H${x + width * 0.58}`,
      '#e08e5f',
      4,
      'opacity="0.6"',
    ),
  ].join('')
}

export function stars(seed: number, count: number): string {
  const roll = dice(seed)
  const star = () =>
    disc(Math.round(roll() * WIDTH), Math.round(roll() * 240), 1 + roll() * 2, '#e8e4ff')
  return times(count, star).join('')
}
