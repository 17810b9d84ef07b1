import { type Color, disc, fill, glow, line, symmetric } from './shapes.ts'

/** A vehicle drawn around x = 0 with its wheels on y = 0. Its words are the Snapshot API's. */
export type Vehicle = {
  type: 'Big Truck' | 'Bus' | 'Motorcycle' | 'Pickup Truck' | 'Sedan' | 'SUV' | 'Van'
  orientation: 'Front' | 'Rear'
  color: PaintName
  svg: string
  halfWidth: number
  height: number
  /** Where the middle of its plate is, and how wide that plate is. */
  plate: { y: number; width: number }
}

export type Paint = { light: Color; base: Color; dark: Color }
export type PaintName = keyof typeof PAINTS

export const PAINTS = {
  black: { light: '#4a4f5a', base: '#2a2d35', dark: '#14161b' },
  blue: { light: '#5c9be6', base: '#2c6fc4', dark: '#173f78' },
  brown: { light: '#b08460', base: '#835a3b', dark: '#4d3220' },
  green: { light: '#6bb58a', base: '#2f7f58', dark: '#174a35' },
  red: { light: '#f2705f', base: '#cf3a33', dark: '#84201f' },
  silver: { light: '#e3e8ee', base: '#b3bcc7', dark: '#76818e' },
  white: { light: '#ffffff', base: '#e9eef2', dark: '#a9b4bf' },
  yellow: { light: '#ffd96b', base: '#f3b321', dark: '#b0770c' },
} satisfies Record<string, Paint>

/** Sizes of a passenger body seen head on, upwards from the ground; the width is halved. */
export type Body = {
  type: 'Pickup Truck' | 'Sedan' | 'SUV' | 'Van'
  half: number
  roof: number
  roofHalf: number
  /** Where the windscreen meets the bonnet. */
  belt: number
  /** The front edge of the bonnet. */
  nose: number
  floor: number
  tyre: number
}

export const SEDAN: Body = {
  type: 'Sedan',
  half: 200,
  roof: 300,
  roofHalf: 118,
  belt: 196,
  nose: 172,
  floor: 34,
  tyre: 46,
}
export const SUV: Body = {
  type: 'SUV',
  half: 206,
  roof: 372,
  roofHalf: 144,
  belt: 248,
  nose: 222,
  floor: 54,
  tyre: 52,
}
export const VAN: Body = {
  type: 'Van',
  half: 206,
  roof: 452,
  roofHalf: 172,
  belt: 252,
  nose: 212,
  floor: 44,
  tyre: 48,
}
export const PICKUP: Body = {
  type: 'Pickup Truck',
  half: 216,
  roof: 376,
  roofHalf: 138,
  belt: 264,
  nose: 246,
  floor: 66,
  tyre: 58,
}

/** The soft shadow under a vehicle, its tyres, and the dark between them. */
export function undercarriage(half: number, tyreWidth: number, clearance: number): string {
  const tyre = (x: number) =>
    `<rect x="${x}" y="-86" width="${tyreWidth}" height="86" rx="12" fill="#15171b"/>
     <rect x="${x + 8}" y="-86" width="${tyreWidth - 16}" height="86" rx="8" fill="#23262c"/>`
  return [
    glow([0, -6], half * 1.2, '#05070a', { opacity: 0.7, flatness: 0.1, core: 0.55 }),
    fill(
      symmetric([
        [0, -clearance - 30],
        [half - 30, -clearance - 30],
        [half - 40, -16, 8],
        [0, -16],
      ]),
      '#0c0e11',
    ),
    tyre(half - tyreWidth - 6),
    tyre(-half + 6),
  ].join('')
}

/** An emblem of no maker. */
export function emblem(y: number, radius: number): string {
  return [
    disc(0, y, radius, '#f4f6f8'),
    disc(0, y, radius * 0.78, '#59636f'),
    line(
      `M${-radius * 0.5} ${y + radius * 0.25} L0 ${y - radius * 0.45} L${radius * 0.5} ${y + radius * 0.25}`,
      '#f4f6f8',
      radius * 0.24,
    ),
  ].join('')
}
