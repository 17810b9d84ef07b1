import { letter } from './lettering.ts'
import { HEIGHT, WIDTH } from './scenery.ts'
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

type Ground = {
  horizon: number
  verge: readonly [Color, Color]
  tar?: readonly [Color, Color]
  paint?: Color
}

/** A straight road running from the viewer to the middle of the horizon, with a verge either side. */
export function road({
  horizon,
  verge,
  tar = ['#6d747d', '#4a5058'],
  paint = '#f2efe6',
}: Ground): string {
  const x = (share: number, spread: number, y: number) => {
    const depth = (y - horizon) / (HEIGHT - horizon)
    return Math.round(WIDTH / 2 + share * (70 + (spread - 70) * depth))
  }
  const strip = (from: number, to: number, top: number, bottom: number) =>
    outline([
      [x(from, 900, top), top],
      [x(to, 900, top), top],
      [x(to, 900, bottom), bottom],
      [x(from, 900, bottom), bottom],
    ])
  const dashes = [0.03, 0.1, 0.22, 0.42, 0.72].map((depth) => {
    const top = horizon + (HEIGHT - horizon) * depth
    const bottom = horizon + (HEIGHT - horizon) * depth * 1.38
    return fill(strip(-0.013, 0.013, top, bottom), paint)
  })
  return [
    shade(box(0, horizon, WIDTH, HEIGHT - horizon), ...verge),
    shade(strip(-1, 1, horizon, HEIGHT), ...tar),
    fill(strip(-0.95, -0.92, horizon, HEIGHT), paint, 'opacity="0.85"'),
    fill(strip(0.92, 0.95, horizon, HEIGHT), paint, 'opacity="0.85"'),
    ...dashes,
  ].join('')
}

/** A yard or street of tar as wide as the picture, with a pavement along its far edge. */
export function yard(horizon: number, kerb: Color, top: Color, bottom: Color): string {
  return [
    shade(box(0, horizon, WIDTH, HEIGHT - horizon), top, bottom),
    fill(box(0, horizon - 4, WIDTH, 26), kerb),
    fill(box(0, horizon + 22, WIDTH, 9), '#000000', 'opacity="0.3"'),
  ].join('')
}

/** Marked bays seen from between two rows of them. */
export function bays(horizon: number, color: Color): string {
  const lines = times(9, (index) => {
    const far = (index - 4) * 150 + WIDTH / 2
    const near = (index - 4) * 330 + WIDTH / 2
    return fill(
      outline([
        [far - 3, horizon],
        [far + 3, horizon],
        [near + 8, HEIGHT],
        [near - 8, HEIGHT],
      ]),
      color,
    )
  })
  return lines.join('') + fill(box(0, horizon, WIDTH, 7), color)
}

/** A gatekeeper's booth and its raised boom. */
export function gate(ground: number): string {
  const stripes = times(6, (index) => fill(box(40 + index * 92, -9, 46, 18), '#d8352f'))
  const boom = `<g transform="rotate(-62)">${fill(box(-30, -9, 620, 18, 9), '#f7f7f4')}${stripes.join('')}</g>`
  const booth = [
    fill(box(-8, -296, 206, 26, 8), '#39424e'),
    shade(box(6, -270, 178, 270, 6), '#f3efe6', '#c9c3b6'),
    shade(box(22, -244, 146, 118, 8), '#42607a', '#8fb2c8'),
    fill(
      outline([
        [60, -244],
        [96, -244],
        [56, -126],
        [22, -126],
        [22, -150],
      ]),
      '#ffffff',
      'opacity="0.2"',
    ),
    disc(118, -176, 20, '#26323e') + fill(box(88, -158, 60, 32, 16), '#26323e'),
    fill(box(6, -98, 178, 14), '#d8352f'),
  ].join('')
  const post = shade(box(-24, -112, 48, 112, 8), '#ffce3a', '#d99a12') + disc(0, -92, 9, '#22262c')
  const shadow = (x: number, radius: number) =>
    glow([x, ground], radius, '#05070a', { opacity: 0.55, flatness: 0.14, core: 0.5 })
  return [
    shadow(126, 150),
    shadow(1090, 56),
    at(20, ground, 1.12, booth),
    at(1090, ground, 1, at(0, -92, 1, boom) + post),
  ].join('')
}

/** A gantry reaching in from the right, with traffic lights hanging from its end at `x`. */
export function trafficLights(x: number): string {
  const [red, amber, green] = [
    disc(x, 92, 19, '#ff3b30'),
    disc(x, 140, 19, '#4b4022'),
    disc(x, 188, 19, '#1f3d2b'),
  ]
  return [
    line(`M1246 620 V62 Q1246 44 1228 44 H${x - 30}`, '#22252e', 15, 'stroke-linecap="round"'),
    shade(box(x - 34, 56, 68, 168, 18), '#2a2f37', '#12151a'),
    `${red}${amber}${green}`,
    glow([x, 92], 90, '#ff3b30', { opacity: 0.6 }),
  ].join('')
}

/** A street lamp whose arm reaches to the right, or to the left when `scale` is mirrored. */
export function lampPost(x: number, y: number, scale: number, { lit = false } = {}): string {
  return at(
    x,
    y,
    scale,
    [
      line('M0 0 V-400 Q0 -440 40 -440 H84', '#3a424d', 11, 'stroke-linecap="round"'),
      fill(box(64, -448, 72, 18, 9), '#2a3038'),
      lit
        ? glow([100, -430], 130, '#ffd9a0', { opacity: 0.6 }) +
          fill(box(72, -432, 56, 7, 3), '#fff4d6')
        : '',
    ].join(''),
  )
}

type Sign = { x: number; y: number; text: string; ground: Color; ink?: Color; width?: number }

/** A lettered sign; (x, y) is the foot of its pole. */
export function sign({ x, y, text, ground, ink = '#ffffff', width = 92 }: Sign): string {
  return at(
    x,
    y,
    1,
    [
      glow([0, 0], 46, '#05070a', { opacity: 0.5, flatness: 0.25, core: 0.2 }),
      shade(box(-5, -190, 10, 190), '#8d97a3', '#58616c'),
      fill(box(-width / 2, -270, width, 92, 12), ground, 'stroke="#ffffff" stroke-width="5"'),
      letter(text, { x: 0, y: -224, height: 56, maxWidth: width - 26, color: ink }),
    ].join(''),
  )
}

/** Slanting rain over everything before it. */
export function rain(seed: number, drops: number): string {
  const roll = dice(seed)
  const streaks = times(drops, () => {
    const [x, y, length] = [
      Math.round(roll() * 1360),
      Math.round(roll() * 800),
      Math.round(24 + roll() * 46),
    ]
    return `M${x} ${y} l${-Math.round(length * 0.22)} ${length}`
  })
  return line(streaks.join(' '), '#cfe0f2', 2, 'opacity="0.42" stroke-linecap="round"')
}

export function snow(seed: number, flakes: number): string {
  const roll = dice(seed)
  return times(flakes, () =>
    disc(
      Math.round(roll() * WIDTH),
      Math.round(roll() * HEIGHT),
      Math.round(2 + roll() * 4),
      '#ffffff',
    ),
  ).join('')
}

/** A wet road's gleam below a light. */
export function puddle(x: number, y: number, radius: number, color: Color): string {
  return glow([x, y], radius, color, { opacity: 0.5, flatness: 0.22 })
}

/** A veil over the whole picture: night, mist or haze. */
export function veil(color: Color, opacity: number): string {
  return fill(box(0, 0, WIDTH, HEIGHT), color, `opacity="${opacity}"`)
}
