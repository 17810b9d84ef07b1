import { boxOnOriginal, type LookupImage } from './lookup-image.ts'
import type { LookupResponse, LookupResult, PlateResult, VehicleResult } from './response.ts'

/** Pixels of the looked-up image, from its upper left corner. */
export interface BoundingBox {
  xmin: number
  ymin: number
  xmax: number
  ymax: number
}

/** Make and model of a vehicle as one guess, `score` from 0 to 1. */
export interface MakeModel {
  make?: string | undefined
  model?: string | undefined
  score?: number | undefined
}

/** One element of the API's `results`: a plate, a vehicle, or both. Scores go from 0 to 1; absent means not said. */
export interface PlateReading {
  /** Its place in `results`, from 0. */
  index: number
  /** The text as the API wrote it; absent for a vehicle without a plate. */
  plate?: string | undefined
  /** How sure the reading of the text is. */
  score?: number | undefined
  /** How sure it is that there is a plate. */
  dscore?: number | undefined
  box?: BoundingBox | undefined
  region?: { code: string; score?: number | undefined } | undefined
  /** Alternative texts; the first is the plate itself. */
  candidates?: readonly { plate: string; score?: number | undefined }[] | undefined
  vehicleType?: string | undefined
  vehicleScore?: number | undefined
  vehicleBox?: BoundingBox | undefined
  makesModels?: readonly MakeModel[] | undefined
  colors?: readonly { color: string; score?: number | undefined }[] | undefined
  orientations?: readonly { orientation: string; score?: number | undefined }[] | undefined
  /** Degrees. */
  direction?: number | undefined
  directionScore?: number | undefined
}

/** What one lookup said about one image. */
export interface Snapshot {
  /** The API's own reference: its `uuid`, else its `filename`; absent when it gave neither. */
  ref?: string | undefined
  cameraId?: string | undefined
  /** ISO 8601 with zone; microseconds as the API gave them. */
  capturedAt?: string | undefined
  readings: readonly PlateReading[]
  /** What told when it was taken. */
  capturedAtFrom?: 'api' | 'list' | 'exif' | 'mtime' | 'filename' | undefined
  /** What was sent, where it was not the stored image; the boxes are those of the stored one, upright. */
  lookupImage?: LookupImage | undefined
  /** What had to be replaced in the answer so that a database can keep it; absent when nothing. */
  mended?: readonly string[] | undefined
}

/** The one place where the API's names become ours, for both result shapes. */
export function normalize(response: LookupResponse): Snapshot {
  const { mended, lookupImage } = response.noted
  return {
    ref: filled(response.uuid) ?? filled(response.filename),
    // The SDK has written the string "null" where it meant null.
    cameraId: response.camera_id === 'null' ? undefined : filled(response.camera_id),
    ...capturedOf(response),
    readings: response.results.flatMap((result, index) =>
      toReading(result, index).map((reading) => onOriginal(reading, lookupImage)),
    ),
    lookupImage,
    mended: mended.length > 0 ? mended : undefined,
  }
}

function toReading(result: LookupResult, index: number): PlateReading[] {
  if (result === undefined) return []
  if (typeof result.plate === 'string')
    return [fromPlateMode({ ...result, plate: result.plate }, index)]
  const reading = fromVehicleMode({ ...result, plate: result.plate }, index)
  return result.plate === undefined && result.vehicle === undefined ? [] : [reading]
}

/** When the image was taken, and who told: what was known before it was asked about counts more than the answer. */
function capturedOf({ noted, timestamp }: LookupResponse): Captured {
  const { captured } = noted
  if (captured?.from === 'nobody') return {}
  if (captured !== undefined) return { capturedAt: captured.at, capturedAtFrom: captured.from }
  const capturedAt = utcTime(timestamp)
  return capturedAt === undefined ? {} : { capturedAt, capturedAtFrom: 'api' }
}

type Captured = Pick<Snapshot, 'capturedAt' | 'capturedAtFrom'>

/** Its boxes as those of the stored picture, where another was sent. */
function onOriginal(reading: PlateReading, sent: LookupImage | undefined): PlateReading {
  if (sent === undefined) return reading
  const { box, vehicleBox } = reading
  return {
    ...reading,
    box: box && boxOnOriginal(box, sent),
    vehicleBox: vehicleBox && boxOnOriginal(vehicleBox, sent),
  }
}

function fromPlateMode(result: PlateResult, index: number): PlateReading {
  return {
    index,
    plate: filled(result.plate),
    score: result.score,
    dscore: result.dscore,
    box: realBox(result.box),
    region: result.region,
    candidates: result.candidates,
    vehicleType: result.vehicle?.type,
    vehicleScore: result.vehicle?.score,
    vehicleBox: realBox(result.vehicle?.box),
    makesModels: result.model_make,
    colors: result.color,
    orientations: result.orientation,
    direction: result.direction,
    directionScore: result.direction_score,
  }
}

/** In vehicle mode a plate's own `score` is the detection score, and the texts stand in `props.plate`. */
function fromVehicleMode(
  { plate, vehicle, ...result }: VehicleResult,
  index: number,
): PlateReading {
  const texts = plate?.props?.plate
  const region = plate?.props?.region?.[0]
  return {
    index,
    plate: filled(texts?.[0]?.value),
    score: texts?.[0]?.score,
    dscore: plate?.score,
    box: realBox(plate?.box),
    region: region && { code: region.value, score: region.score },
    candidates: texts?.map(({ value, score }) => ({ plate: value, score })),
    vehicleType: vehicle?.type,
    vehicleScore: vehicle?.score,
    vehicleBox: realBox(vehicle?.box),
    makesModels: vehicle?.props?.make_model,
    colors: vehicle?.props?.color?.map(({ value, score }) => ({ color: value, score })),
    orientations: vehicle?.props?.orientation?.map(({ value, score }) => ({
      orientation: value,
      score,
    })),
    direction: result.direction,
    directionScore: result.direction_score,
  }
}

/** "No vehicle found" comes as a box of zeros, not as null. */
function realBox(box: BoundingBox | undefined): BoundingBox | undefined {
  return box !== undefined && box.xmax > box.xmin && box.ymax > box.ymin ? box : undefined
}

function filled(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/**
 * The cloud writes `…T…Z`, the SDK a space and no zone: a zone-less time is UTC. Undefined for what is no time, and for
 * what PostgreSQL would refuse (year 0, zones beyond 15:59): the paid answer must not fail on its way in.
 */
function utcTime(timestamp: string | undefined): string | undefined {
  const match =
    /^((?!0000)\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-](?:0\d|1[0-5]):?[0-5]\d)?$/i.exec(
      timestamp ?? '',
    )
  if (match === null) return undefined
  const [, date = '', time, zone = 'Z'] = match
  // Date.parse lets 30 February pass as 1 March.
  const day = new Date(date)
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date)) return undefined
  const iso = `${date}T${time}${zone.toUpperCase()}`
  return Number.isNaN(Date.parse(iso.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))) ? undefined : iso
}
