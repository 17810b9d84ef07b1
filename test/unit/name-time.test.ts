import { expect, test } from 'vitest'
import { captureTimeOf } from '../../src/capture-time.ts'
import { readNamePattern } from '../../src/name-time.ts'

const NOW = Date.UTC(2026, 6, 1)
const NOTHING = { bytes: Buffer.from('GIF89a'), mime: 'image/gif' }

function timeIn(source: string, filenameTime: string): string | undefined {
  const policy = { from: ['filename'] as const, filenameTime, timezone: 'Europe/Berlin' }
  const captured = captureTimeOf({ ...NOTHING, source }, policy, NOW)
  return captured === undefined || captured.from === 'nobody' ? undefined : captured.at
}

const MORNING = '2026-01-31T07:30:05Z'

test.each<[pattern: string, source: string, taken: string | undefined]>([
  ['YYYYMMDD-HHmmss', 'cam1/20260131-083005.jpg', MORNING],
  ['YYYYMMDD-HHmmss', 'IMG_20260131-083005_front.jpg', MORNING],
  ['YYYYMMDD-HHmmss', 'https://cams.example/a/20260131-083005.jpg?size=2', MORNING],
  ['YYYYMMDD-HHmmss', 'https://cams.example/20260131%2D083005.jpg', MORNING],
  ['YYYYMMDD-HHmmss', 'C:\\cams\\20260131-083005.jpg', MORNING],
  ['YYYYMMDD-HHmmss', '20260131-083005/front.jpg', undefined],
  ['YYYYMMDD-HHmmss', 'front.jpg', undefined],
  ['YYYYMMDDHHmmssSSS', 'lane2_20260131083005042.jpg', '2026-01-31T07:30:05.042Z'],
  ['YYYYMMDDHHmmss', '0420260131083005.jpg', MORNING],
  ['YYYYMMDDHHmmss', '20261331083005_20260131083005.jpg', MORNING],
  ['YYYYMMDDHHmmss', '20260131253005.jpg', undefined],
  ['YYMMDDHHmmss', '260131083005.jpg', MORNING],
  ['YYYY-MM-DDTHH-mm-ssZ', '2026-01-31T08-30-05+0200.jpg', '2026-01-31T06:30:05Z'],
  ['YYYY-MM-DDTHH-mm-ssZ', '2026-01-31T08-30-05Z.jpg', '2026-01-31T08:30:05Z'],
  ['YYYY-MM-DD HH[h]mm[m]ss', '2026-01-31 08h30m05s.jpg', MORNING],
  ['DD.MM.YYYY_HH.mm', '31.01.2026_08.30.jpg', '2026-01-31T07:30:00Z'],
  ['DD.MM.YYYY_HH.mm', '31x01x2026_08x30.jpg', undefined],
  ['YYYYMMDD_HHmmss', '20260329_023000.jpg', '2026-03-29T01:30:00Z'],
  ['YYYYMMDD_HHmmss', '20261025_023000.jpg', undefined],
  ['X', 'cam-1769844605.jpg', MORNING],
  ['X', 'cam-1769844605042.jpg', undefined],
  ['X.SSS', '1769844605.042.jpg', '2026-01-31T07:30:05.042Z'],
  ['x', 'cam-1769844605042.jpg', '2026-01-31T07:30:05.042Z'],
  ['YYYY/MM/DD/HHmmss', '/ftp/cam1/2026/01/31/083005.jpg', MORNING],
  ['YYYY/MM/DD/HHmmss', 'https://cams.example/cam1/2026/01/31/083005.jpg', MORNING],
  ['YYYY/MM/DD/HHmmss', '2026/01/31/front/083005.jpg', undefined],
  ['YYYY/MM/DD/YYYYMMDD-HHmmss', '2026/01/31/20260131-083005.jpg', MORNING],
  ['YYYY/MM/DD/YYYYMMDD-HHmmss', '2026/01/30/20260131-083005.jpg', undefined],
])('the pattern %s in %s', (pattern, source, taken) => {
  expect(timeIn(source, pattern)).toBe(taken)
})

test.each<[pattern: string, problem: string]>([
  ['HHmmss', 'must hold YYYY (or YY), MM, DD and HH, or X or x'],
  ['YYYYMMDD', 'must hold YYYY (or YY), MM, DD and HH, or X or x'],
  ['', 'must hold YYYY (or YY), MM, DD and HH, or X or x'],
  ['yyyyMMdd-HHmmss', 'holds y, d, which is no part of a time.'],
  ['cam_YYYYMMDDHHmmss', 'holds c, a, m, which is no part of a time.'],
])('the pattern %j is none', (pattern, problem) => {
  expect(readNamePattern(pattern)).toEqual({ problem: expect.stringContaining(problem) })
})
