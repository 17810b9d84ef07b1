import type { Flag } from './flag.ts'

/** Where a capture time may come from: the API's answer, the picture's EXIF, the file's time of change, its name. */
export const CAPTURED_AT = ['api', 'exif', 'mtime', 'filename'] as const

/** Which images there are, and what their list, path, name or bytes tell of them: of all commands that take a list. */
export const LIST_FLAGS = {
  images: {
    flags: '--images <file>',
    meaning:
      'the images file, one path or URL a line, or - for standard input; also a .jsonl or .csv list, a folder, or a quoted glob',
  },
  settle: {
    flags: '--settle <s>',
    meaning:
      'files of a folder or glob that changed so short a time ago may still be written: the next run takes them',
    default: 2,
  },
  cameraFromPath: {
    flags: '--camera-from-path <regex>',
    meaning: 'takes the camera from the path: the first group of the expression, or all it matches',
  },
  capturedAt: {
    flags: `--captured-at <${CAPTURED_AT.join('|')}...>`,
    meaning:
      'where the capture time comes from; of several, in this order, the first that tells one',
    default: 'api',
  },
  timezone: {
    flags: '--timezone <name>',
    meaning: 'the zone of times that tell none (EXIF, names), such as Europe/Berlin',
  },
  filenameTime: {
    flags: '--filename-time <pattern>',
    meaning: "how a file's name tells the time, such as YYYYMMDD-HHmmss",
  },
} as const satisfies Record<string, Flag>
