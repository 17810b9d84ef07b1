/** The server, or undefined and a line that says why it did not start. */
export async function orGoOnWithout<Server>(
  name: string,
  starting: Promise<Server>,
): Promise<Server | undefined> {
  try {
    return await starting
  } catch (error) {
    console.warn(`test servers: going on without ${name}: ${(error as Error).message}`)
    return undefined
  }
}
