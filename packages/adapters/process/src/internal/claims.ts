/** What this runtime claims of a job, where. Each claim has a proof in `test/claims.test.ts`; documents and `isolation` are made from it. */

/** How jobs of a host run: at which level, as which user. A host that is root has no level `basic` without user ids for jobs. */
export const situations = {
  namespaceUids: "namespaces, a user id for each job",
  namespaceRoot: "namespaces, root without user ids",
  namespaceUser: "namespaces, the host's user",
  basicUids: "no namespaces, a user id for each job",
  basicUser: "no namespaces, the host's user"
} as const
export type Situation = keyof typeof situations

export interface Claim {
  /** For tables, of "a job". */
  readonly says: string
  /** For `isolation`. */
  readonly word: string
  readonly holds: ReadonlyArray<Situation>
}

const everywhere: ReadonlyArray<Situation> = [
  "namespaceUids",
  "namespaceRoot",
  "namespaceUser",
  "basicUids",
  "basicUser"
]
const withNamespaces: ReadonlyArray<Situation> = ["namespaceUids", "namespaceRoot", "namespaceUser"]
const exceptAsHost: ReadonlyArray<Situation> = [...withNamespaces, "basicUids"]

export const claims = {
  privileges: {
    says: "has no capabilities, and gets none from setuid programs",
    word: "no privileges",
    holds: everywhere
  },
  processes: {
    says: "leaves no process, daemons and abstract sockets included",
    word: "no process outlives its job",
    holds: everywhere
  },
  shim: {
    says: "cannot end its shim",
    word: "shims out of reach",
    holds: exceptAsHost
  },
  view: {
    says: "sees no processes but its own",
    word: "own processes in sight only",
    holds: withNamespaces
  },
  data: {
    says: "cannot read the host's data, or what another job has left in its folder",
    word: "data of the host out of reach",
    holds: exceptAsHost
  },
  machine: {
    says: "cannot write to the machine's files, but in `shared` directories",
    word: "files of the machine read-only",
    holds: withNamespaces
  },
  files: {
    says: "leaves no file or socket in /tmp, /var/tmp, /dev/shm, or wherever everybody may write",
    word: "no file outlives its job",
    holds: exceptAsHost
  },
  ipc: {
    says: "leaves no System V object and no POSIX message queue",
    word: "no IPC object outlives its job",
    holds: exceptAsHost
  },
  keys: {
    says: "leaves no key in a keyring of the kernel",
    word: "no key outlives its job",
    holds: ["namespaceUids", "namespaceUser", "basicUids"]
  },
  memory: {
    says: "is ended when all its memory exceeds `memory_mb`, shared memory, memfd and /dev/shm included",
    word: "all memory limited",
    holds: exceptAsHost
  }
} satisfies Record<string, Claim>

export const claimsOf = (situation: Situation): ReadonlyArray<Claim> =>
  Object.values<Claim>(claims).filter(({ holds }) => holds.includes(situation))

/** One row for each claim, one column for each situation. */
export const table = (): string => {
  const names = Object.keys(situations).filter((name): name is Situation => name in situations)
  const row = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  return [
    row(["a job", ...names.map((name) => situations[name])]),
    row(["---", ...names.map(() => "---")]),
    ...Object.values<Claim>(claims).map(({ holds, says }) =>
      row([says, ...names.map((name) => (holds.includes(name) ? "yes" : "**no**"))])
    )
  ].join("\n")
}
