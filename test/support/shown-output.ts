/** What differs from run to run and from folder to folder, made the same. */
export function withoutCircumstances(output: string): string {
  return output
    .replace(/\d+\.\d s$/m, 'N s')
    .replace(/\S*samples\//g, 'samples/')
    .replace(/─+/g, '─')
    .replace(/ +$/gm, '')
}

/** Lines without what differs from run to run; those of one moment come in any order. */
export function withoutIds(output: string): string[] {
  const same = withoutCircumstances(output)
    .replaceAll('copy-of-', '')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/g, 'TIME')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/http\S+\/(vehicle-snapshots\/[^?]+)\?X-Amz-\S+/g, 'LINK $1')
    .replace(/^Database: PostgreSQL .*/m, 'Database: D')
    .replace(/^Images: s3:.*/m, 'Images: I')
    .replace(/ {2,}/g, '  ')
  return same.trimEnd().split('\n').sort()
}
