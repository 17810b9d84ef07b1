import type { Database } from '../db/database.ts'
import { findImage, type ImageRow, type KnownImage } from '../db/find-image.ts'
import { unlessAborted } from '../db/pages.ts'
import { requireThere } from '../db/schema.ts'
import { ConfigError, ImageError } from '../errors.ts'
import type { BoundingBox } from '../normalize.ts'
import { counted, visible } from '../run-report.ts'
import type { Shell } from '../shell.ts'
import type { Objects } from '../storage/objects.ts'
import { storedBytes, uncheckedBytes } from '../stored-bytes.ts'
import { openDatabase } from '../stores.ts'
import { type ImageOptions, readImageOptions } from '../viewing-options.ts'
import { writeWhole } from '../write-file.ts'
import { requireS3, requireSettings } from './settings.ts'

/**
 * `plate-snapshot image`: the stored bytes of one image, seen to be those that were stored, or a part of its picture.
 * @returns the exit code
 * @throws {ImageError} when it cannot be given
 */
export async function image(given: unknown, shell: Shell): Promise<number> {
  const { options, problems } = readImageOptions(given)
  if (options !== undefined && options.output === undefined && shell.outColumns !== undefined) {
    const message = 'is needed: a terminal cannot show the bytes of an image. Name a file.'
    throw new ConfigError([{ name: '-o', message }])
  }
  const settings = await requireSettings(shell.env, { api: false, storage: false }, problems)
  if (options === undefined) throw new ConfigError(problems)
  const database = await openDatabase(settings.database, { mayCreate: false })
  try {
    await requireThere(database)
    await unlessAborted(shell.signal, () => giveImage(options, database, shell))
    return 0
  } finally {
    await database.close()
  }
}

async function giveImage(
  { image: name, output, crop }: ImageOptions,
  database: Database,
  shell: Shell,
): Promise<void> {
  const image = await findImage(name, database)
  const part = crop && partOf(image, crop)
  const whole = await bytesOf(image, database, shell)
  const { bytes, what } = part ? await cut(whole, part) : describe(whole, image)
  if (output === undefined) {
    shell.outBytes(bytes)
    await shell.drained()
    return
  }
  await writeWhole(output, '-o', (file) => file.writeFile(bytes))
  shell.say(`${visible(output)}: ${counted(bytes.length, 'byte')}, ${what}`)
}

/** From the database where it holds them, so that S3 need not be there; else from the object. */
async function bytesOf(image: KnownImage, database: Database, shell: Shell): Promise<Buffer> {
  const inDatabase = await find(image, database, undefined)
  const isElsewhere = inDatabase.bytes === undefined && image.object !== undefined
  const found = isElsewhere ? await findInS3(image, database, shell) : inDatabase
  if (found.bytes === undefined) {
    throw new ImageError('image_lost', `The bytes of ${image.name} cannot be had. ${found.why}`)
  }
  if (image.sha256 === undefined) {
    const from = `The bytes of ${image.name}, from ${visible(found.from)},`
    shell.say(`${from} were not checked: the row, an older tool's, has no SHA-256.`)
  }
  return found.bytes
}

async function findInS3(image: KnownImage, database: Database, { env, signal }: Shell) {
  const { openObjects } = await import('../storage/objects.ts')
  const objects = await openObjects(await requireS3(env), signal)
  try {
    return await find(image, database, objects)
  } finally {
    objects.close()
  }
}

function find(image: KnownImage, database: Database, objects: Objects | undefined) {
  const { sha256, rows } = image
  if (sha256 !== undefined) return storedBytes({ ...image, sha256 }, database, objects)
  return uncheckedBytes({ ...image, id: rows[0]?.id ?? '' }, database, objects)
}

function describe(bytes: Buffer, { mime, sha256 }: KnownImage) {
  const facts = [mime ?? 'of a type that nobody noted', ...(sha256 ? [`SHA-256 ${sha256}`] : [])]
  return { bytes, what: facts.join(', ') }
}

/** What is to be cut out, and for people. */
interface Part extends Pick<ImageRow, 'answerFrame'> {
  box: BoundingBox
  what: string
}

/** @throws {ImageError} `no_box`, `several_plates` */
function partOf({ name, rows }: KnownImage, crop: 'plate' | 'vehicle'): Part {
  const parts = rows.flatMap(({ id, plate, plateBox, vehicleBox, answerFrame }) => {
    const box = crop === 'plate' ? plateBox : vehicleBox
    return box === undefined ? [] : [{ id, plate: visible(plate ?? 'no plate'), box, answerFrame }]
  })
  const [first] = parts
  if (first === undefined) {
    const whose = rows.length === 0 ? `There is no row of ${name}, and so` : `Of ${name} there is`
    throw new ImageError('no_box', `${whose} no box of a ${crop}.`)
  }
  // An older tool's rows may say the same twice.
  if (new Set(parts.map(({ box }) => JSON.stringify(Object.values(box)))).size > 1) {
    const told = parts.map(({ id, plate }) => `${plate} (row ${id})`).join(', ')
    throw new ImageError('several_plates', `There are several ${crop}s on ${name}: ${told}.`)
  }
  const whose = crop === 'plate' ? `plate ${first.plate}` : `vehicle with ${first.plate}`
  return { ...first, what: `the ${whose} on ${name}` }
}

async function cut(whole: Buffer, { box, answerFrame, what }: Part) {
  const { openDecoder } = await import('../decoding/decoder.ts')
  const decoder = openDecoder()
  try {
    const { bytes, mime, width, height } = await decoder.crop(whole, box, answerFrame)
    return { bytes, what: `${mime}, ${width} x ${height} pixels: ${what}` }
  } finally {
    await decoder.close()
  }
}
