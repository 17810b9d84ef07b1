import type { Database } from '../../src/db/database.ts'

/** As the older tool's SQL makes it, stricter here than there: nothing in it may stand in the way of the new rows. */
const OLDER_TABLE = `
  CREATE TABLE vehicle_snapshots (
    id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    snapshot_ref text NOT NULL,
    camera_id text NOT NULL,
    captured_at timestamptz NOT NULL,
    plate_text text NOT NULL,
    plate_confidence numeric NOT NULL,
    makes_models jsonb NOT NULL,
    colors jsonb NOT NULL,
    bbox jsonb NOT NULL,
    raw_response jsonb NOT NULL,
    image_url text NOT NULL,
    image_data bytea,
    image_mime text,
    image_size integer,
    image_sha256 text,
    meta jsonb,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now()
  );
  CREATE INDEX idx_vehicle_plate_text ON vehicle_snapshots (plate_text);
  CREATE INDEX idx_vehicle_image_sha256 ON vehicle_snapshots (image_sha256);`

/** Stands in for the extension uuid-ossp, which not every PostgreSQL has. */
const UUID_FUNCTION = `
  CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'`

export async function createOlderTable(database: Database): Promise<void> {
  await database
    .execute('CREATE EXTENSION "uuid-ossp"')
    .catch(() => database.execute(UUID_FUNCTION))
  await database.execute(OLDER_TABLE)
}

/** A row of the older tool; `answer` is its `raw_response`, `day` the day of March 2024 it was made. */
export interface OlderRow {
  sha256?: string | null
  plate?: string
  answer?: unknown
  url?: string
  meta?: unknown
  day?: number | null
}

const INSERT = `
  INSERT INTO vehicle_snapshots (snapshot_ref, camera_id, captured_at, plate_text, plate_confidence, makes_models,
    colors, bbox, raw_response, image_url, image_mime, image_size, image_sha256, meta, created_at)
  VALUES ('ref', 'gate', '2024-03-01Z', $1, 0.9, '[]', '[]', '{}', $2::jsonb, $3, 'image/jpeg', 1234, $4, $5::jsonb,
    $6::timestamptz)
  RETURNING id`

/** @returns the new row's id */
export async function insertOlderRow(
  database: Database,
  {
    sha256 = null,
    plate = 'nhk552',
    answer = {},
    url = 'https://x/y.jpg',
    meta,
    day = 1,
  }: OlderRow,
): Promise<string> {
  const json = meta === undefined ? null : JSON.stringify(meta)
  const made = day === null ? null : new Date(Date.UTC(2024, 2, day)).toISOString()
  const values = [plate, JSON.stringify(answer), url, sha256, json, made]
  const [row] = await database.query<{ id: string }>(INSERT, values)
  return row?.id ?? ''
}
