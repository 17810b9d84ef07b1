import { DAY } from './backdrops-by-day.ts'
import { NIGHT } from './backdrops-by-night.ts'
import { busFront } from './bus.ts'
import { carFront } from './cars-front.ts'
import { carRear } from './cars-rear.ts'
import { motorcycleRear } from './motorcycle.ts'
import { PLATES, type PlateLook } from './plates.ts'
import { rain, snow, veil } from './street.ts'
import { truckFront } from './truck.ts'
import { PICKUP, SEDAN, SUV, VAN, type Vehicle } from './vehicles.ts'

/** A picture of the samples: scenery, then its vehicles from left to right, then the weather. */
export type Picture = {
  file: `${string}.jpg` | `${string}.png`
  backdrop: string
  sights: readonly Sight[]
  weather?: string
}

/** A vehicle standing with its wheels' middle on (x, ground), and how it is read. */
export type Sight = {
  vehicle: Vehicle
  place: { x: number; ground: number; scale: number }
  /** The lettering is one string a line. */
  plate: { look: PlateLook; lines: readonly string[] }
  region: string
  scores: { reading: number; detection: number; vehicle: number }
  makeModel: { make: string; model: string }
}

/** The same bytes under two names: the second must cost no second lookup. */
export const COPY = { of: 'gate-sedan-front.jpg', as: 'copy-of-gate-sedan-front.jpg' }

/** The texts are invented, and meant to use a letter or number their country does not issue. */
export const PICTURES: readonly Picture[] = [
  {
    file: 'gate-sedan-front.jpg',
    backdrop: DAY.officeGate,
    sights: [
      {
        vehicle: carFront(SEDAN, 'blue', { rightHandDrive: true }),
        place: { x: 640, ground: 740, scale: 1.55 },
        plate: { look: PLATES.britain, lines: ['IQ70 OTX'] },
        region: 'gb',
        scores: { reading: 0.931, detection: 0.948, vehicle: 0.914 },
        makeModel: { make: 'Toyota', model: 'Camry' },
      },
    ],
  },
  {
    file: 'two-cars-at-the-lights.jpg',
    backdrop: NIGHT.dusk,
    sights: [
      {
        vehicle: carRear(SUV, 'red', { braking: true }),
        place: { x: 330, ground: 750, scale: 1.28 },
        plate: { look: PLATES.germany, lines: ['QX OI 104'] },
        region: 'de',
        scores: { reading: 0.952, detection: 0.917, vehicle: 0.887 },
        makeModel: { make: 'Volkswagen', model: 'Tiguan' },
      },
      {
        vehicle: carRear(SEDAN, 'silver', { braking: true }),
        place: { x: 950, ground: 740, scale: 1.28 },
        plate: { look: PLATES.belgium, lines: ['0-QIO-187'] },
        region: 'be',
        scores: { reading: 0.704, detection: 0.862, vehicle: 0.851 },
        makeModel: { make: 'Skoda', model: 'Octavia' },
      },
    ],
  },
  { file: 'empty-car-park.jpg', backdrop: DAY.carPark, sights: [] },
  {
    file: 'country-road-suv-front.jpg',
    backdrop: DAY.countryRoad,
    sights: [
      {
        vehicle: carFront(SUV, 'green'),
        place: { x: 640, ground: 748, scale: 1.5 },
        plate: { look: PLATES.france, lines: ['IO-108-UO'] },
        region: 'fr',
        scores: { reading: 1, detection: 0.936, vehicle: 0.902 },
        makeModel: { make: 'Renault', model: 'Koleos' },
      },
    ],
  },
  {
    file: 'desert-pickup-rear.jpg',
    backdrop: DAY.desert,
    sights: [
      {
        vehicle: carRear(PICKUP, 'red', { plateWidth: 150 }),
        place: { x: 640, ground: 748, scale: 1.5 },
        plate: { look: PLATES.california, lines: ['0PLT204'] },
        region: 'us-ca',
        scores: { reading: 0.967, detection: 0.924, vehicle: 0.893 },
        makeModel: { make: 'Ford', model: 'F-150' },
      },
    ],
  },
  {
    file: 'old-town-bus-front.png',
    backdrop: DAY.oldTown,
    sights: [
      {
        vehicle: busFront('yellow', '27 HARBOUR'),
        place: { x: 620, ground: 752, scale: 1.24 },
        plate: { look: PLATES.spain, lines: ['4710 AOU'] },
        region: 'es',
        scores: { reading: 0.853, detection: 0.881, vehicle: 0.925 },
        makeModel: { make: 'Mercedes-Benz', model: 'Citaro' },
      },
    ],
  },
  {
    file: 'depot-truck-front.jpg',
    backdrop: DAY.depot,
    sights: [
      {
        vehicle: truckFront('blue', 'NORDKAP'),
        place: { x: 660, ground: 756, scale: 1.16 },
        plate: { look: PLATES.poland, lines: ['QK 4472V'] },
        region: 'pl',
        scores: { reading: 0.914, detection: 0.903, vehicle: 0.871 },
        makeModel: { make: 'Scania', model: 'R-Series' },
      },
    ],
  },
  {
    file: 'avenue-motorcycle-rear.jpg',
    backdrop: DAY.avenue,
    sights: [
      {
        vehicle: motorcycleRear('red'),
        place: { x: 640, ground: 752, scale: 1.22 },
        plate: { look: PLATES.italyTwoLines, lines: ['QU', '4106I'] },
        region: 'it',
        scores: { reading: 0.618, detection: 0.743, vehicle: 0.812 },
        makeModel: { make: 'Ducati', model: 'Monster' },
      },
    ],
  },
  {
    file: 'snowy-van-front.png',
    backdrop: DAY.winter,
    sights: [
      {
        vehicle: carFront(VAN, 'white', { lit: true }),
        place: { x: 640, ground: 750, scale: 1.4 },
        plate: { look: PLATES.norway, lines: ['QI 20417'] },
        region: 'no',
        scores: { reading: 0.978, detection: 0.955, vehicle: 0.908 },
        makeModel: { make: 'Volkswagen', model: 'Transporter' },
      },
    ],
    weather: snow(9, 120),
  },
  {
    file: 'city-night-sedan-rear.jpg',
    backdrop: NIGHT.cityNight,
    sights: [
      {
        vehicle: carRear(SEDAN, 'black', { braking: true }),
        place: { x: 640, ground: 744, scale: 1.55 },
        plate: { look: PLATES.netherlands, lines: ['AE-010-I'] },
        region: 'nl',
        scores: { reading: 0.945, detection: 0.929, vehicle: 0.896 },
        makeModel: { make: 'Toyota', model: 'Corolla' },
      },
    ],
  },
  {
    file: 'rainy-night-van-rear.jpg',
    backdrop: NIGHT.rainyNight,
    sights: [
      {
        vehicle: carRear(VAN, 'brown', { braking: true }),
        place: { x: 660, ground: 640, scale: 0.62 },
        plate: { look: PLATES.turkey, lines: ['99 QXW 401'] },
        region: 'tr',
        scores: { reading: 0.412, detection: 0.537, vehicle: 0.684 },
        makeModel: { make: 'Ford', model: 'Transit' },
      },
    ],
    weather: veil('#0a1220', 0.3) + rain(13, 330) + rain(17, 110),
  },
]
