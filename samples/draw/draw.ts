/** Draws the sample pictures and writes what the Snapshot API would answer: `node samples/draw/draw.ts`. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import sharp from 'sharp'
import { answerFor } from './answers.ts'
import { COPY, PICTURES, type Picture, type Sight } from './pictures.ts'
import { drawPlate } from './plates.ts'
import { HEIGHT, WIDTH } from './scenery.ts'
import { at } from './shapes.ts'

const answers: Record<string, ReturnType<typeof answerFor>> = {}

for (const picture of PICTURES) {
  const bytes = await render(picture)
  answers[createHash('sha256').update(bytes).digest('hex')] = answerFor(picture)
  await write(picture.file, bytes)
  if (picture.file === COPY.of) await write(COPY.as, bytes)
}
await write('answers.json', `${JSON.stringify(answers, null, 2)}\n`)

async function render(picture: Picture): Promise<Buffer> {
  const image = sharp(Buffer.from(compose(picture))).flatten()
  return picture.file.endsWith('.png')
    ? await image.png({ palette: true, colors: 192, dither: 0.6, compressionLevel: 9 }).toBuffer()
    : await image.jpeg({ quality: 86, chromaSubsampling: '4:4:4', mozjpeg: true }).toBuffer()
}

function compose({ backdrop, sights, weather = '' }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    ${backdrop}${sights.map(drawSight).join('')}${weather}</svg>`
}

function drawSight({ vehicle, place: { x, ground, scale }, plate }: Sight): string {
  const { y, width } = vehicle.plate
  return at(
    x,
    ground,
    scale,
    vehicle.svg + at(0, y, width / plate.look.width, drawPlate(plate.look, plate.lines)),
  )
}

async function write(name: string, content: Buffer | string): Promise<void> {
  await writeFile(new URL(`../${name}`, import.meta.url), content)
}
