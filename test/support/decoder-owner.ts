import { setImmediate } from 'node:timers/promises'
import { openDecoder } from '../../src/decoding/decoder.ts'
import { FRAGILE, TROUBLE } from './fragile-decoder.ts'

// A process whose decoder hangs: it writes down the decoder's id, and waits.
const decoder = openDecoder({ program: FRAGILE })
const box = { xmin: 0, ymin: 0, xmax: 1, ymax: 1 }
const { bytes } = await decoder.crop(TROUBLE.who, box, undefined)
const hanging = decoder.show(TROUBLE.hang, [])
// By then the job is in the decoder's hands.
await setImmediate()
process.stdout.write(`${JSON.parse(Buffer.from(bytes).toString()).pid}\n`)
await hanging
