/**
 * Does `work` as a user whom file modes concern: root's tests become "nobody" (65534, as Debian and the BSDs have it) for
 * as long. For the whole process, so nothing else may be under way.
 */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid?.(65_534)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}
