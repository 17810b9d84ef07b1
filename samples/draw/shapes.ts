/** A corner of an outline; `radius` rounds it, in the outline's own units. */
export type Corner = readonly [x: number, y: number, radius?: number]

export type Color = string

/** SVG path data of the closed outline through `corners`. */
export function outline(corners: readonly Corner[]): string {
  const steps = corners.map(([x, y, radius = 0], index) => {
    const from = towards([x, y], corners.at(index - 1) ?? [x, y], radius)
    const to = towards([x, y], corners[(index + 1) % corners.length] ?? [x, y], radius)
    return `${index === 0 ? 'M' : 'L'}${from} Q${x} ${y} ${to}`
  })
  return `${steps.join(' ')} Z`
}

/** The same for a shape that is its own mirror image: `half` runs down its right side. */
export function symmetric(half: readonly Corner[]): string {
  const mirrored = half
    .filter(([x]) => x !== 0)
    .map(([x, y, radius = 0]): Corner => [-x, y, radius])
    .reverse()
  return outline([...half, ...mirrored])
}

/** Path data filled with one color; `attributes` may add a stroke or an opacity. */
export function fill(d: string, color: Color, attributes = ''): string {
  return `<path d="${d}" fill="${color}" ${attributes}/>`
}

/** Path data filled from the first color at its top to the last at its bottom. */
export function shade(d: string, ...colors: readonly Color[]): string {
  const id = `shade-${colors.join('-').replaceAll('#', '')}`
  const stops = colors.map((color, index) => {
    return `<stop offset="${index / (colors.length - 1)}" stop-color="${color}"/>`
  })
  return `<linearGradient id="${id}" x2="0" y2="1">${stops.join('')}</linearGradient>${fill(d, `url(#${id})`)}`
}

/** A round glow that fades to nothing at `radius`; `flatness` below 1 squeezes its height. */
export function glow(
  [x, y]: Corner,
  radius: number,
  color: Color,
  { opacity = 1, flatness = 1, core = 0 } = {},
): string {
  const id = `glow-${color.replace('#', '')}-${Math.round(opacity * 100)}-${Math.round(core * 100)}`
  return `<radialGradient id="${id}">
    <stop offset="${core}" stop-color="${color}" stop-opacity="${opacity}"/>
    <stop offset="1" stop-color="${color}" stop-opacity="0"/></radialGradient>
    <ellipse cx="${x}" cy="${y}" rx="${radius}" ry="${radius * flatness}" fill="url(#${id})"/>`
}

/** Path data of a rectangle with rounded corners. */
export function box(x: number, y: number, width: number, height: number, radius = 0): string {
  return outline([
    [x, y, radius],
    [x + width, y, radius],
    [x + width, y + height, radius],
    [x, y + height, radius],
  ])
}

/** An open line along path data. */
export function line(d: string, color: Color, width: number, attributes = ''): string {
  return `<path d="${d}" fill="none" stroke="${color}" stroke-width="${width}" ${attributes}/>`
}

export function disc(x: number, y: number, radius: number, color: Color): string {
  return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${color}"/>`
}

/** The drawing, and its mirror image in the vertical axis. */
export function both(svg: string): string {
  return `${svg}<g transform="scale(-1 1)">${svg}</g>`
}

export function at(x: number, y: number, scale: number, svg: string): string {
  return `<g transform="translate(${x} ${y}) scale(${scale})">${svg}</g>`
}

/** The drawing, cut off outside path data; `id` must be the picture's only one of that name. */
export function clipped(id: string, d: string, svg: string): string {
  return `<clipPath id="${id}"><path d="${d}"/></clipPath><g clip-path="url(#${id})">${svg}</g>`
}

/** Numbers from 0 to 1 that look random and are the same on every run. */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function towards([x, y]: Corner, [otherX, otherY]: Corner, radius: number): string {
  const distance = Math.hypot(otherX - x, otherY - y)
  const share = distance === 0 ? 0 : Math.min(radius / distance, 0.5)
  const along = (from: number, to: number) => Math.round((from + (to - from) * share) * 100) / 100
  return `${along(x, otherX)} ${along(y, otherY)}`
}
