import type { Database } from './db/database.ts'
import { isAway, sickStatement } from './db/patient.ts'
import { messageOf } from './errors.ts'
import { createOutage, NO_OUTAGE, type Outage } from './outage.ts'
import type { ImageStore } from './storage/image-store.ts'
import { isStorageAway, sickObject } from './storage/s3-errors.ts'

/** How the outages of a run are borne and told. */
export interface Bearing {
  /** `--patience`, in seconds. */
  patience: number
  onNotice: (text: string) => void
}

/**
 * @param probe writes something: a full disk and a standby can be read. That it is alive is what a run has to write: as
 * soon as others see claims again, they see that too.
 * @param signal ends all waits
 */
export function databaseOutage(
  database: Database,
  probe: () => Promise<void>,
  bearing: Bearing,
  signal: AbortSignal,
): Outage {
  // The embedded one lives in this process.
  if (database.isEmbedded) return NO_OUTAGE
  return createOutage({
    ...telling(database.name, bearing),
    ...{ isAway, sick: sickStatement, signal, probe },
  })
}

/** @param signal ends all waits */
export function storageOutage(images: ImageStore, bearing: Bearing, signal: AbortSignal): Outage {
  return createOutage({
    ...telling(images.name, bearing),
    ...{ isAway: isStorageAway, sick: sickObject, signal, probe: images.ping },
  })
}

function telling(name: string, { patience, onNotice }: Bearing) {
  return {
    patienceMs: patience * 1_000,
    onBegin(error: unknown) {
      onNotice(`${messageOf(error)} Waiting up to ${patience} s for it (--patience).`)
    },
    onEnd(ms: number) {
      onNotice(`${name} is back after ${(ms / 1_000).toFixed(1)} s.`)
    },
  }
}
