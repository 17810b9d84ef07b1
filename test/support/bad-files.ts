import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import type { ErrorCode } from '../../src/advice.ts'
import { pngBomb } from './bombs.ts'
import { drawBmp, drawPicture } from './drawn-images.ts'
import { run } from './programs.ts'
import { pictureOf } from './sample-pictures.ts'

/** What a line of a list may name on the disk that is no image, and how it gets to its path. */
type BadFile = [
  what: string,
  code: ErrorCode,
  path: string,
  make?: (path: string) => Promise<unknown>,
]

type Bytes = Buffer | Promise<Buffer>

/** A larger image is too large for the run over these files. */
export const MAX_IMAGE_BYTES = 1_000_000

const holding = (text: string) => (path: string) => writeFile(path, text)
const ofBytes = (hex: string) => (path: string) => writeFile(path, Buffer.from(hex, 'hex'))
const tooLarge = (path: string) => writeFile(path, pictureOf('large', MAX_IMAGE_BYTES + 1))
const bomb = (path: string) => writeFile(path, pngBomb())
const linkTo = (target: string) => (path: string) => symlink(target, path)
const pipe = (path: string) => run('mkfifo', [path])

/** The first part of a picture; `end` as `subarray` takes it. */
const cut = (draw: () => Bytes, end: number) => async (path: string) =>
  writeFile(path, (await draw()).subarray(0, end))

/** All that comes before the scan. */
async function headerOnly(path: string): Promise<void> {
  const bytes = await drawPicture('jpeg')
  await writeFile(path, bytes.subarray(0, bytes.indexOf(Buffer.from('ffda', 'hex'))))
}

async function forbidden(path: string): Promise<void> {
  await writeFile(path, pictureOf('private'))
  await chmod(path, 0)
}

const HTML = '<!doctype html><title>Log in</title>'
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
const PDF = '%PDF-1.7\n%%EOF'
const ZIP = '504b0506000000000000000000000000000000000000'
const MP4 = '00000018667479706d703432000000006d70343269736f6d'
const HEIC = '0000001866747970686569630000000068656963'

const FILES: BadFile[] = [
  ['a missing file', 'file_not_found', 'missing.jpg'],
  ['a folder', 'not_a_file', 'folder.jpg', (path) => mkdir(path)],
  ['an empty device', 'not_a_file', '/dev/null'],
  ['an endless device', 'not_a_file', '/dev/zero'],
  ['a named pipe', 'not_a_file', 'pipe.jpg', pipe],
  ['an empty file', 'empty_image', 'empty.jpg', holding('')],
  ['an HTML page', 'not_an_image', 'page.jpg', holding(HTML)],
  ['a text', 'not_an_image', 'notes.jpg', holding('no picture at all')],
  ['an SVG drawing', 'not_an_image', 'drawing.jpg', holding(SVG)],
  ['a PDF', 'not_an_image', 'paper.jpg', holding(PDF)],
  ['a zip archive', 'not_an_image', 'archive.jpg', ofBytes(ZIP)],
  ['an MP4 video', 'not_an_image', 'video.jpg', ofBytes(MP4)],
  ['a HEIC picture', 'heic_unsupported', 'phone.jpg', ofBytes(HEIC)],
  ['zeros', 'not_an_image', 'zeros.jpg', holding('\0'.repeat(5_000))],
  ['a JPEG cut short', 'truncated_image', 'cut.jpg', cut(() => drawPicture('jpeg'), 300)],
  ['a JPEG without its last byte', 'truncated_image', '1.jpg', cut(() => drawPicture('jpeg'), -1)],
  ['a JPEG that is only its header', 'truncated_image', 'head.jpg', headerOnly],
  ['a JPEG of nonsense', 'truncated_image', 'odd.jpg', ofBytes('ffd8ffe0776861743f')],
  ['a PNG cut short', 'truncated_image', 'cut.png', cut(() => drawPicture('png'), -1)],
  ['a WebP cut short', 'truncated_image', 'cut.webp', cut(() => drawPicture('webp'), -1)],
  ['a BMP cut short', 'truncated_image', 'cut.bmp', cut(drawBmp, -1)],
  ['a picture too large', 'too_large', 'large.jpg', tooLarge],
  ['a small PNG of 50,000 x 50,000 pixels', 'too_many_pixels', 'bomb.png', bomb],
  ['a name too long for a disk', 'file_not_found', `${'long'.repeat(100)}.jpg`],
  ['a path through a file', 'file_not_found', 'notes.jpg/car.jpg'],
  ['a link to itself', 'file_unreadable', 'loop.jpg', linkTo('loop.jpg')],
  ['a link to nothing', 'file_not_found', 'dead.jpg', linkTo('none.jpg')],
  ['a link to a folder', 'not_a_file', 'place.jpg', linkTo('.')],
]

/** Root may read whatever has forbidding modes. */
const FORBIDDEN: BadFile[] =
  process.geteuid?.() === 0
    ? []
    : [['a file that may not be read', 'file_unreadable', 'private.jpg', forbidden]]

/** Lines that name a file by its path, each with the code of its failure. */
export const BAD_FILES = [...FILES, ...FORBIDDEN]
