/**
 * Every way this tool can fail, by its stable code: whether it concerns one image or the whole run, and what to do.
 * A code is a promise to scripts that read `--json`: it is never renamed.
 */
export const ADVICE = {
  // the images file's line
  bad_line: { hint: 'Correct the line; the others are not concerned.' },
  bad_url: { hint: 'Correct the address in the images file.' },
  unsupported_url: { hint: 'Use a path or an http(s) URL; download anything else first.' },
  // a job of the queue
  bad_job: { hint: 'Put it again, as docs/many-machines.md says of jobs.' },
  worker_lost: {
    hint: 'Workers died while they had the image in hand: see what ended them, then put it back with plate-snapshot queue retry-failed.',
  },
  // a local file
  file_not_found: {
    hint: 'Correct the path; a relative one starts at the working directory of the run.',
  },
  folder_unreadable: {
    hint: 'Give the user who runs plate-snapshot the right to read the folder; its images are left.',
  },
  not_a_file: { hint: 'Name the image file itself, not a folder or a device.' },
  file_unreadable: { hint: 'Give the user who runs plate-snapshot the right to read the file.' },
  path_refused: {
    hint: 'Put the image into the folder of --root, or run without --no-local and --root.',
  },
  // a URL
  address_refused: {
    hint: 'With --public-only, --allow-host lets a host or network of your own through; link-local and metadata addresses are never fetched.',
  },
  http_not_found: { hint: 'The image is gone from its server; remove the line or correct it.' },
  http_forbidden: { hint: 'The link needs other credentials or has expired; get a fresh one.' },
  link_expired: {
    hint: 'Make a new link to the image and run the list with it: it is the same source, and what is known is not billed again.',
  },
  http_error: { hint: 'The server of the image failed; run the same list again later.' },
  too_many_redirects: { hint: 'Use the address at which the image really is.' },
  bad_redirect: { hint: 'Use the address at which the image really is.' },
  fetch_unreachable: {
    hint: 'Check the address and the network, then run the same list again.',
  },
  fetch_timeout: { hint: 'Run the same list again, or give it longer with --fetch-timeout.' },
  short_body: { hint: 'The transfer broke off; run the same list again.' },
  // the bytes
  empty_image: { hint: 'The image holds no bytes; save it anew where it comes from.' },
  not_an_image: {
    hint: 'Only JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC images are looked up.',
  },
  heic_unsupported: {
    hint: 'Convert it to JPEG, or have the camera write JPEG; nothing was stored or billed.',
  },
  truncated_image: {
    hint: 'Copy the image again from where it comes from: only whole ones are looked up.',
  },
  too_large: { hint: 'Shrink the image, or raise --max-image-bytes.' },
  too_many_pixels: { hint: 'Shrink the image, or raise --max-image-pixels.' },
  // the lookup of one image
  api_rejected: { hint: 'The API does not accept this image or these parameters.' },
  api_too_large: {
    hint: 'It could not be made small enough: give the limit of this API with --max-upload-bytes, or shrink the image.',
  },
  api_unsupported: { hint: 'Save the image as JPEG or PNG.' },
  api_error: { hint: 'The API failed; run the same list again later.' },
  api_unreachable: { hint: 'Check SNAPSHOT_API_URL and the network, then run the list again.' },
  answer_lost: {
    hint: 'The lookup may have been billed. Run the list again to ask once more.',
  },
  answer_too_large: {
    hint: 'The lookup was probably billed. Another would bring the same: only --force asks again.',
  },
  answer_unusable: {
    hint: 'The answer is kept, and is not bought again. A higher --confidence-threshold may leave out what cannot be stored.',
  },
  // one stored image
  not_known: { hint: 'Take the id of a row from what plate-snapshot plates shows.' },
  image_lost: {
    hint: 'Run plate-snapshot verify --repair: it looks for the bytes wherever the image came from.',
  },
  no_object: { hint: 'Only objects in S3 have links; plate-snapshot image writes the bytes.' },
  no_box: { hint: 'Take the whole image: leave --crop out.' },
  several_plates: { hint: 'Name the row that is meant by its id.' },
  undecodable: { hint: 'Take the whole image, without --crop, and cut it with another program.' },
  // what stops a run
  api_refused: { scope: 'run', hint: 'Check PLATE_API_KEY and the credits of the account.' },
  api_down: {
    scope: 'run',
    hint: 'Run it again when the API answers; what is known costs nothing.',
  },
  max_lookups: {
    scope: 'run',
    hint: 'Run it again to go on; what is known costs nothing.',
  },
  storage_failed: {
    hint: 'The image was not stored, so it was not looked up; run the list again.',
  },
  storage_down: { scope: 'run', hint: 'Check AWS_ENDPOINT_URL and the network, then run again.' },
  storage_refused: {
    scope: 'run',
    hint: 'Check S3_BUCKET, the AWS credentials and their rights (docs/storage.md).',
  },
  database_failed: { hint: 'The database refused this image; its message says why.' },
  database_down: { scope: 'run', hint: 'Check DATABASE_URL and the server, then run again.' },
  claim_lost: {
    hint: 'Another run took the image over while this one was silent. Run the list again; what is known costs nothing.',
  },
  spool_failed: {
    scope: 'run',
    hint: 'Set XDG_STATE_HOME to a folder that can be read and written: paid answers wait there while the database is away.',
  },
  query_refused: {
    hint: 'It takes one statement that only reads: SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW. docs/database.md describes the tables.',
  },
  schema_missing: {
    scope: 'run',
    hint: 'Run: plate-snapshot migrate (npx plate-snapshot migrate in a checkout).',
  },
  schema_old: {
    scope: 'run',
    hint: 'Run: plate-snapshot migrate (npx plate-snapshot migrate in a checkout).',
  },
  schema_new: { scope: 'run', hint: 'Update plate-snapshot on this machine.' },
  folder_locked: {
    scope: 'run',
    hint: 'Wait for it to end, or use a server database (DATABASE_URL=postgresql://…), which many processes can share.',
  },
  folder_unusable: { scope: 'run', hint: 'Name another folder: DATABASE_URL=pglite:<folder>' },
  config: { scope: 'run', hint: 'Correct these, then run again: nothing was fetched or billed.' },
  interrupted: { scope: 'run', hint: 'Run the same list again: the rest is untouched.' },
  internal: {
    scope: 'run',
    hint: 'This is a bug of plate-snapshot: please report it with the trace on standard error.',
  },
} as const satisfies Record<string, { scope?: 'run'; hint: string }>

/** The stable name of a failure, as `error.code` in the machine-readable output gives it. */
export type ErrorCode = keyof typeof ADVICE

/** What to do about a code; nothing about one that only another version of the tool has. */
export function adviceOn(code: string): string {
  const known: Record<string, { hint: string }> = ADVICE
  return Object.hasOwn(known, code) ? (known[code]?.hint ?? '') : ''
}
