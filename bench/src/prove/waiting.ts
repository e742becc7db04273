/** Waits with a bound. */
export const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** What the call answers as soon as that is not `undefined`; fails after the bound. */
export const until = async <A>(
  what: string,
  ask: () => Promise<A | undefined> | A | undefined,
  boundMillis: number,
  pauseMillis = 50
): Promise<A> => {
  const end = performance.now() + boundMillis
  while (true) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`not within ${boundMillis} ms: ${what}`)
    await sleep(pauseMillis)
  }
}
