/** Ports of a host that kill it, with SIGKILL, when it reaches the point that `FAIRLEAD_FAILPOINT` names. Nothing of this is published. */

import { existsSync, writeFileSync } from "node:fs"
import { AdmissionStore } from "@fairlead/core/executions/AdmissionStore"
import { ExecutionOutputStore } from "@fairlead/core/executions/ExecutionOutputStore"
import { QueueStore } from "@fairlead/core/queue/QueueStore"
import type { ScriptRuntime } from "@fairlead/core/runtime/ScriptRuntime"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Journal } from "@fairlead/core/sagas/Journal"
import type { SagaEntry } from "@fairlead/core/sagas/SagaEntry"
import { SagaStore } from "@fairlead/core/sagas/SagaStore"
import { Storage } from "@fairlead/core/storage/Storage"
import { Context, Effect, Layer, Option } from "effect"
import { failpointNames } from "./failpointNames.ts"

export interface Armed {
  readonly name: string
  /** Which time counts; 1 is the first. */
  readonly nth: number
  /**
   * The point is passed over until this file is there; absent: it counts from the start. What dies writes the names of the points
   * into it that it has reached in the same moment, one a line.
   */
  readonly armFile?: string | undefined
}

/** Reads `name` or `name:n`. */
export const parse = (text: string, armFile?: string): Armed => {
  const [, name = text, nth = "1"] = /^(.*:(?:before|after))(?::(\d+))?$/.exec(text) ?? []
  if (!failpointNames.includes(name))
    throw new Error(`no such failpoint: ${text}. There are:\n${failpointNames.join("\n")}`)
  return { name, nth: Number(nth), armFile }
}

/** Points that are one moment, because what lies between them is done in one step. */
type Moment = (names: ReadonlyArray<string>) => Effect.Effect<void>

const momentOf = ({ armFile, name, nth }: Armed): Moment => {
  let hits = 0
  return (reached) =>
    Effect.suspend(() => {
      if (!reached.includes(name) || (armFile !== undefined && !existsSync(armFile))) return Effect.void
      hits++
      if (hits !== nth) return Effect.void
      if (armFile !== undefined) writeFileSync(armFile, reached.join("\n"))
      process.kill(process.pid, "SIGKILL")
      return Effect.never
    })
}

const around =
  (moment: Moment, ...names: ReadonlyArray<string>) =>
  <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const side = (which: string) => moment(names.map((name) => `${name}:${which}`))
    return Effect.tap(Effect.andThen(side("before"), call), () => side("after"))
  }

/** What the transaction of this fiber has written so far; `undefined` outside of one. */
const Written = Context.Reference<Set<string> | undefined>("fairlead/proof/Written", { defaultValue: () => undefined })

const writes = (what: string) => Effect.map(Written, (written) => void written?.add(what))

/** A step that is new must be proven as well; failures of all kinds need not. */
const isExpected = (name: string) => /^journal:(SagaStarted|StepStarted|StepCompleted|SagaEnded)/.test(name)

const nameOf = (entry: SagaEntry): string => {
  const about = "step" in entry ? entry.step : "cause" in entry ? entry.cause : "end" in entry ? entry.end : undefined
  return about === undefined ? entry._tag : `${entry._tag}(${about})`
}

const pointsOf = (entries: ReadonlyArray<SagaEntry>) => entries.map((entry) => `journal:${nameOf(entry)}`)

const journal = (moment: Moment) =>
  Layer.effect(
    Journal,
    Effect.map(Journal, ({ append }) => ({
      append: (write) => {
        const names = pointsOf(write.entries)
        const unlisted = names.find((name) => isExpected(name) && !failpointNames.includes(`${name}:before`))
        if (unlisted !== undefined) return Effect.die(`there is no failpoint for ${unlisted}`)
        return around(moment, ...names)(append(write))
      }
    }))
  )

const admissions = (moment: Moment) =>
  Layer.effect(
    AdmissionStore,
    Effect.map(AdmissionStore, ({ createQueued, createStarted }) => ({
      createStarted: (started) =>
        Effect.flatMap(Written, (written) =>
          written === undefined
            ? around(moment, "commit(accept)", ...pointsOf(started.entries))(createStarted(started))
            : Effect.tap(createStarted(started), () => writes("accept"))
        ),
      createQueued: (accepted) => Effect.tap(createQueued(accepted), () => writes("accept"))
    }))
  )

const storage = (moment: Moment) =>
  Layer.effect(
    Storage,
    Effect.map(Storage, (real) => {
      const all = (written: ReadonlySet<string>, side: string) =>
        moment([...written].map((what) => `commit(${what}):${side}`))
      const transaction: Storage["Service"]["transaction"] = (work) =>
        Effect.flatMap(Written, (outer) => {
          if (outer !== undefined) return real.transaction(work)
          const written = new Set<string>()
          return real
            .transaction(
              Effect.provideService(
                Effect.tap(work, () => all(written, "before")),
                Written,
                written
              )
            )
            .pipe(Effect.tap(() => all(written, "after")))
        })
      return { ...real, transaction }
    })
  )

const stores = (moment: Moment) =>
  Layer.mergeAll(
    Layer.effect(
      QueueStore,
      Effect.map(QueueStore, (real) => ({
        ...real,
        assign: (...offer) =>
          around(
            moment,
            "queue.admit"
          )(real.assign(...offer)).pipe(
            Effect.tap((assigned) => (assigned.length > 0 ? writes("admit") : Effect.void))
          ),
        requeue: (entry) => Effect.tap(real.requeue(entry), () => writes("retry"))
      }))
    ),
    Layer.effect(
      SagaStore,
      Effect.map(SagaStore, (real) => ({
        ...real,
        claim: (...item) => around(moment, "saga.claim")(real.claim(...item)),
        requestCancel: (...request) => around(moment, "saga.requestCancel")(real.requestCancel(...request))
      }))
    ),
    Layer.effect(
      ExecutionOutputStore,
      Effect.map(ExecutionOutputStore, (real) => ({
        ...real,
        append: (...output) => around(moment, "output.append")(real.append(...output))
      }))
    )
  )

const runtimes = (moment: Moment) =>
  Layer.effect(
    ScriptRuntimes,
    Effect.map(ScriptRuntimes, (real) => {
      const watched = (runtime: ScriptRuntime): ScriptRuntime => ({
        ...runtime,
        start: (spec) => around(moment, "runtime.start")(runtime.start(spec)),
        stop: (handle) => around(moment, "runtime.stop")(runtime.stop(handle)),
        remove: (handle) => around(moment, "runtime.remove")(runtime.remove(handle))
      })
      return wrapped(real, watched)
    })
  )

/** The registry with every runtime of it changed. */
export const wrapped = (
  real: ScriptRuntimes["Service"],
  change: (runtime: ScriptRuntime) => ScriptRuntime
): ScriptRuntimes["Service"] => ({
  ...real,
  all: Effect.map(real.all, (all) => all.map(change)),
  find: (kind) => Effect.map(real.find(kind), Option.map(change)),
  choose: (...wanted) =>
    Effect.map(real.choose(...wanted), (chosen) => ({ ...chosen, runtime: change(chosen.runtime) }))
})

/** Every port with a point in it. Needs the real ones. */
export const layer = (armed: Armed) => {
  const moment = momentOf(armed)
  return Layer.mergeAll(journal(moment), admissions(moment), storage(moment), stores(moment), runtimes(moment))
}
