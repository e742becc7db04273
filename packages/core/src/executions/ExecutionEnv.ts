/** The environment that a request gives its script, sealed at rest: names and values may both be secret. */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import type { ExecutionId } from "../ids/ExecutionId.ts"
import { type Sealed, Secrets, type SecretUnreadable } from "../secrets/Secrets.ts"
import type { Execution } from "./Execution.ts"

export type ScriptEnv = Readonly<Record<string, string>>

const json = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))
const nodeIdOf = (id: ExecutionId) => `executions/${id}/env`

export class ExecutionEnv extends Context.Service<
  ExecutionEnv,
  {
    seal(id: ExecutionId, env: Redacted.Redacted<ScriptEnv>): Effect.Effect<Sealed>
    /** Empty for an execution that was given none. */
    open(
      execution: Pick<Execution, "executionId" | "sealedEnv">
    ): Effect.Effect<Redacted.Redacted<ScriptEnv>, SecretUnreadable>
  }
>()("@fairlead/core/executions/ExecutionEnv") {
  static readonly layer = Layer.effect(
    ExecutionEnv,
    Effect.map(Secrets, (secrets) =>
      ExecutionEnv.of({
        seal: (id, env) => secrets.seal(nodeIdOf(id), Redacted.make(Schema.encodeSync(json)(Redacted.value(env)))),
        open: Effect.fnUntraced(function* ({ executionId, sealedEnv }) {
          if (sealedEnv === undefined) return Redacted.make({})
          const opened = yield* secrets.open(nodeIdOf(executionId), sealedEnv)
          return Redacted.make(yield* Effect.orDie(Schema.decodeEffect(json)(Redacted.value(opened))))
        })
      })
    )
  )
}
