/** The Python that an operator has chosen: an interpreter, or the folder of a virtual environment. */
import { realpath, stat } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { ProcessRuntimeUnavailable } from "../ProcessRuntimeUnavailable.ts"
import { attempt, type FileFailure, ifPresent, isBelow, run } from "./files.ts"

/** Who must be able to run it, and from where. */
export interface Reach {
  /** What the interpreter finds as its PATH. */
  readonly path: string
  /** The user that runs jobs, when it is another one than the host's. */
  readonly uid: number | undefined
  /** Jobs see nothing below these paths. */
  readonly unreachable: ReadonlyArray<string>
}

const timeoutMillis = 5_000
/** Its own path, its environment, and the installation that the environment was made from. */
const directories = "import sys; print(sys.executable); print(sys.prefix); print(sys.base_prefix)"

/**
 * The program to start: of a virtual environment the one in its `bin`, whose path must stay as it is, because Python finds the packages
 * by it. Fails when jobs could not run it, with a line for the operator.
 */
export const chosenPython = Effect.fnUntraced(function* (
  chosen: string,
  { path, uid, unreachable }: Reach
): Effect.fn.Return<string, ProcessRuntimeUnavailable> {
  const program = yield* programOf(chosen)
  const user = uid === undefined ? "" : ` as the user ${uid}`
  const output = yield* Effect.mapError(
    run(program, ["-I", "-c", directories], { path, uid, timeoutMillis }),
    (failure) => unusable(`${program} does not run as a Python 3${user}: ${reasonOf(failure)}`)
  )
  const [executable, ...folders] = output.trim().split("\n")
  if (executable === undefined || folders.length !== 2) return yield* unusable(`${program} is no Python 3`)
  const needed = [program, executable, ...folders]
  const real = yield* Effect.forEach(needed, (each) =>
    Effect.orElseSucceed(
      attempt(() => realpath(each)),
      () => each
    )
  )
  const hidden = [...needed, ...real].find((each) => isBelow(each, unreachable))
  if (hidden !== undefined)
    return yield* unusable(`scripts cannot see ${hidden}: it is in the data folder of the host, or in a /tmp`)
  return executable
})

const programOf = Effect.fnUntraced(function* (chosen: string): Effect.fn.Return<string, ProcessRuntimeUnavailable> {
  const found = yield* stateOf(chosen)
  if (found === undefined) return yield* unusable(`${chosen} does not exist`)
  if (!found.isDirectory()) return chosen
  const program = join(chosen, "bin", "python")
  if ((yield* stateOf(program)) === undefined)
    return yield* unusable(`${chosen} is no virtual environment: it has no bin/python, or one that leads nowhere`)
  return program
})

const stateOf = (path: string) =>
  Effect.mapError(ifPresent(attempt(() => stat(path))), (failure) =>
    unusable(`${path} cannot be looked at: ${reasonOf(failure)}`)
  )

const reasonOf = ({ cause, code }: FileFailure) => {
  if (code === "EACCES") return "it may not be executed, or not be reached"
  const lines = String(cause).trim().split("\n")
  return lines.at(-1) ?? ""
}

const unusable = (detail: string) => new ProcessRuntimeUnavailable({ reason: "python", detail })
