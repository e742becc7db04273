/** One system under comparison, in a process of its own, so that its CPU time is its own as well. */
export interface Contender {
  /** Puts one item in and waits until the system has carried it to its end. */
  readonly run: () => Promise<unknown>
  readonly stop: () => Promise<unknown>
}

/** Starts the system on an empty database, or on one that it has used before. */
export type Start = (databaseUrl: string) => Promise<Contender>

/** Connections that each system may hold to the server. */
export const maxConnections = 20
/** Items that each system may work on at once: more than are ever in flight. */
export const maxAtOnce = 96

/** Ends of items by name: whoever comes first, the one who waits or the one who tells, the other finds it. */
export const makeEnds = () => {
  const waiting = new Map<string, () => void>()
  const ended = new Set<string>()
  return {
    of: (name: string) =>
      new Promise<void>((resolve) => {
        if (ended.delete(name)) resolve()
        else waiting.set(name, resolve)
      }),
    reached: (name: string) => {
      const told = waiting.get(name)
      if (told === undefined) ended.add(name)
      else told()
      waiting.delete(name)
    }
  }
}
