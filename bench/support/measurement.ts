import { styleText } from 'node:util'
import type { Bench } from './bench.ts'

/** One figure, and the bar it has to meet. */
export interface Measurement {
  name: string
  /** As people read it: `98.7 %`, `1.31 times`. */
  figure: string
  /** Empty for what is only written down. */
  bar: string
  isMet: boolean
  /** What the figure was made of, in words. */
  raw: string
}

/** One row of the benchmark: it measures something side by side, and may have several bars. */
export type Row = (bench: Bench) => Promise<Measurement[]>

type Unit = (value: number) => string

export const percent: Unit = (value) => `${(value * 100).toFixed(1)} %`
export const times: Unit = (value) => `${value.toFixed(2)} times`
export const megabytes: Unit = (value) => `${value.toFixed(0)} MB`
export const perSecond: Unit = (value) => `${value.toFixed(1)} images/s`

/** A figure that has to be `least` or more. */
export function atLeast(
  name: string,
  value: number,
  least: number,
  unit: Unit,
  raw: string,
): Measurement {
  const bar = `at least ${unit(least)}`
  return { name, figure: unit(value), bar, isMet: value >= least, raw }
}

/** A figure that has to be `most` or less. */
export function atMost(
  name: string,
  value: number,
  most: number,
  unit: Unit,
  raw: string,
): Measurement {
  const bar = `at most ${unit(most)}`
  return { name, figure: unit(value), bar, isMet: value <= most, raw }
}

/** Something that is so or not; `figure` is what was found. */
export function mustBe(
  name: string,
  figure: string,
  bar: string,
  isMet: boolean,
  raw: string,
): Measurement {
  return { name, figure, bar, isMet, raw }
}

/** A figure without a bar. */
export function noted(name: string, figure: string, raw: string): Measurement {
  return { name, figure, bar: '', isMet: true, raw }
}

/** The value in the middle; of an even number the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return (
    ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2
  )
}

/** `3.1, 3.0, 3.3`, so that the spread is seen beside a median. */
export function listed(values: readonly number[], digits = 1): string {
  return values.map((value) => value.toFixed(digits)).join(', ')
}

/** A measurement in one line. */
export function lineOf({ name, figure, bar, isMet, raw }: Measurement): string {
  const verdict = bar === '' ? '' : ` (${bar}): ${verdictOf(isMet)}`
  return `${name}: ${figure}${verdict}. ${raw}`
}

/** All of them under each other, names, figures and bars in columns. */
export function tableOf(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ name, figure, bar, isMet }) => [
    name,
    figure,
    bar === '' ? 'no bar' : bar,
    bar === '' ? '' : verdictOf(isMet),
  ])
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function verdictOf(isMet: boolean): string {
  return isMet ? styleText('green', 'met') : styleText('red', 'MISSED')
}
