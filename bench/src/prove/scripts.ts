/** The scripts of a proof: what each does, and how its execution may end. Each appends a line to the ledger as it begins. */

export type Kind = keyof typeof kinds

export interface Ending {
  readonly status: string
  readonly exitCode: number | undefined
  readonly attempt: number
  readonly stdout: string
}

interface Behaviour {
  readonly script: string
  /** Of the request, beside what all have. */
  readonly fields?: Readonly<Record<string, unknown>>
  readonly isRefused?: boolean
  /** When the client asks for its end. */
  readonly cancelled?: "at once" | "when it runs"
  /** Whether a script of this kind may end so, when no host is lost. */
  readonly mayEnd: (ending: Ending) => boolean
}

const ledger = 'echo "$PROOF_EXECUTION $PROOF_ATTEMPT $$ $(date +%s%N)" >>"$PROOF_LEDGER"\necho "begin $PROOF_TAG"\n'

export const kinds = {
  succeeds: {
    script: `${ledger}sleep 0.2\necho "end $PROOF_TAG"\n`,
    mayEnd: ({ exitCode, status, stdout }) =>
      status === "completed" && exitCode === 0 && /^begin (\S+)\nend \1\n$/.test(stdout)
  },
  lasts: {
    script: `${ledger}sleep "$PROOF_SECONDS"\necho "end $PROOF_TAG"\n`,
    mayEnd: ({ exitCode, status, stdout }) =>
      status === "completed" && exitCode === 0 && /^begin (\S+)\nend \1\n$/.test(stdout)
  },
  fails: {
    script: `${ledger}exit 3\n`,
    mayEnd: ({ exitCode, status }) => status === "failed" && exitCode === 3
  },
  retries: {
    script: `${ledger}exit 4\n`,
    fields: { retry: { max_attempts: 2, backoff_seconds: 0.1, on: ["script_error"] } },
    mayEnd: ({ attempt, exitCode, status }) => status === "failed" && exitCode === 4 && attempt === 2
  },
  cancelledAtOnce: {
    script: `${ledger}sleep 300\n`,
    cancelled: "at once",
    mayEnd: ({ status }) => status === "cancelled"
  },
  cancelled: {
    script: `${ledger}sleep 300\n`,
    cancelled: "when it runs",
    mayEnd: ({ status }) => status === "cancelled"
  },
  timesOut: {
    script: `${ledger}sleep 300\n`,
    fields: { timeout_seconds: 1 },
    mayEnd: ({ status }) => status === "timeout"
  },
  refused: {
    script: ledger,
    isRefused: true,
    mayEnd: ({ status }) => status === "error"
  },
  holdsKey: {
    script: `${ledger}sleep 3\n`,
    fields: { concurrency_key: "one-by-one" },
    mayEnd: ({ exitCode, status }) => status === "completed" && exitCode === 0
  },
  /** Waits for the one before it longer than it may, unless that is over sooner. */
  expires: {
    script: ledger,
    fields: { concurrency_key: "one-by-one", queue_ttl_seconds: 1 },
    mayEnd: ({ status }) => status === "timeout" || status === "completed"
  }
} satisfies Readonly<Record<string, Behaviour>>

export const behaviourOf = (kind: Kind): Behaviour => kinds[kind]

/** Kinds that need no other beside them, within two seconds. */
export const shortKinds: ReadonlyArray<Kind> = [
  "succeeds",
  "fails",
  "retries",
  "cancelledAtOnce",
  "cancelled",
  "timesOut",
  "refused"
]

export const requestOf = (kind: Kind, env: Readonly<Record<string, string>>) => {
  const { fields = {}, isRefused = false, script } = behaviourOf(kind)
  return {
    script,
    lang: "bash",
    lang_version: "latest",
    timeout_seconds: 120,
    // Enough for the scripts of a slow machine: none of them is to meet this limit.
    cpu_millicores: 8_000,
    env: { ...env, ...(isRefused ? { PROOF_REFUSED: "yes" } : {}) },
    ...fields
  }
}
