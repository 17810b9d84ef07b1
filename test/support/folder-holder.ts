import { lockFolder } from '../../src/db/folder-lock.ts'

// A program for `holdInChild` (children.ts): takes the lock of a folder when told to, says what came of it, and holds on
// until it is stopped.
const [, , folder = ''] = process.argv
process.stdin.once('data', async () => {
  const said = await lockFolder(folder, folder).then(
    () => 'held',
    (thrown: Error) => thrown.message,
  )
  process.stdout.write(`${said}\n`)
})
