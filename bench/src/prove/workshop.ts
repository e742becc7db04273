/** The folder, the database and the hosts of one proof, and what is left when it is over. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Fleet, makeFleet } from "./Fleet.ts"
import { type PostgresServer, startPostgres } from "./PostgresServer.ts"
import { leftovers, processesWith } from "./processes.ts"
import { makeWorkload, type Workload } from "./Workload.ts"

export interface Workshop {
  readonly run: string
  readonly ledgerFile: string
  readonly fleet: Fleet
  readonly workload: Workload
  /** Only with PostgreSQL. */
  readonly postgres: PostgresServer | undefined
  readonly folder: string
}

export interface WorkshopOptions {
  readonly hosts: number
  readonly database: "pglite" | "postgresql"
  /** Jobs folders that the hosts serve, dealt out in turn; by default each host has its own. */
  readonly places?: number
  readonly environment?: Readonly<Record<string, string>>
}

/** Hosts start often here. */
const compileCache = fileURLToPath(new URL("../../../node_modules/.cache/node", import.meta.url))

let made = 0

/** Scripts have a /tmp and /var/tmp of their own, so the ledger is elsewhere, in a directory that is shared with them. */
export const inWorkshop = async <A>(
  { database, environment = {}, hosts, places = hosts }: WorkshopOptions,
  work: (workshop: Workshop) => Promise<A>
): Promise<A> => {
  const folder = mkdtempSync(
    process.geteuid?.() === 0 ? "/var/lib/fairlead-proof-" : join(homedir(), ".fairlead-proof-")
  )
  chmodSync(folder, 0o755)
  const shared = join(folder, "shared")
  mkdirSync(shared)
  const run = `proof-${process.pid}-${made++}`
  const ledgerFile = join(shared, "ledger")
  writeFileSync(ledgerFile, "")
  chmodSync(ledgerFile, 0o666)
  const postgres = database === "postgresql" ? await startPostgres(join(folder, "postgres")) : undefined
  const firstUid = 2_010_000_000 + (process.pid % 4096) * 512 + (made % 8) * 64
  const plans = Array.from({ length: hosts }, (_, i) => {
    const [place, uids] = [i % places, Math.floor(48 / places)]
    const first = firstUid + place * uids
    return { name: `host-${i + 1}`, dataDir: join(folder, `place-${place + 1}`), uids: `${first}-${first + uids - 1}` }
  })
  const fleet = makeFleet(plans, {
    PROOF_HOST_OF: run,
    NODE_COMPILE_CACHE: compileCache,
    FAIRLEAD_MAX_RUNNING: "4",
    FAIRLEAD_SHARED_DIRECTORIES: shared,
    FAIRLEAD_DRAIN_SECONDS: "2",
    FAIRLEAD_MAX_ACTIVE_PER_USER: "100000",
    FAIRLEAD_MAX_STORED_OUTPUT_MB_PER_USER: "0",
    ...(postgres === undefined ? {} : { DATABASE_URL: postgres.database("fairlead") }),
    ...environment
  })
  const clear = () => {
    postgres?.kill()
    for (const pid of [...leftovers(run), ...processesWith(`PROOF_HOST_OF=${run}`)]) process.kill(pid, "SIGKILL")
    rmSync(folder, { recursive: true, force: true })
  }
  // For a proof that is interrupted.
  process.once("exit", clear)
  try {
    return await work({ run, ledgerFile, fleet, workload: makeWorkload(fleet, run, ledgerFile), postgres, folder })
  } finally {
    await fleet.stop()
    await postgres?.stop()
    process.off("exit", clear)
    clear()
  }
}
