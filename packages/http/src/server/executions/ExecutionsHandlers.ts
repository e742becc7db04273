/** Binds executions to their services. No decisions here: call, translate, return. */

import { AdmissionPolicy } from "@fairlead/core/executions/AdmissionPolicy"
import { exampleScripts } from "@fairlead/core/executions/ExampleScripts"
import type { Execution } from "@fairlead/core/executions/Execution"
import { labelMatchOf } from "@fairlead/core/executions/ExecutionLabels"
import { Executions } from "@fairlead/core/executions/Executions"
import { Transcripts } from "@fairlead/core/executions/Transcripts"
import { beginningOfTranscript, parseTranscriptPosition } from "@fairlead/core/executions/transcript"
import { Queue } from "@fairlead/core/queue/Queue"
import { languageNamed } from "@fairlead/core/runtime/Language"
import { ScriptRuntimes } from "@fairlead/core/runtime/ScriptRuntimes"
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { CurrentPrincipal } from "../../api/Access.ts"
import { tagOf } from "../../api/events/WireEvent.ts"
import { ExecutionStillActive } from "../../api/executions/ExecutionProblems.ts"
import { type ListQuery, preferredWait } from "../../api/executions/ExecutionRequests.ts"
import { ExecutionsApi } from "../../api/executions/ExecutionsApi.ts"
import * as Views from "../../api/executions/ExecutionViews.ts"
import { wantedLimits } from "../../api/executions/LimitRequests.ts"
import { wantedQueueing } from "../../api/executions/QueueingRequests.ts"
import { pageEcho, pageOf } from "../../api/Paging.ts"
import { CurrentRequestSource } from "../CurrentRequestSource.ts"
import { HttpSettings } from "../HttpSettings.ts"
import { answered } from "../internal/answered.ts"
import { lean, withServices } from "../internal/leanHandlers.ts"
import * as Places from "../internal/Places.ts"
import {
  attemptView,
  cancellationView,
  executionView,
  inRequestUnits,
  resourceLimits,
  resultView,
  transcriptView
} from "./executionViews.ts"
import * as OutputAnswer from "./OutputAnswer.ts"
import * as ResultAnswer from "./ResultAnswer.ts"
import * as ExecutionSse from "./sse/ExecutionSse.ts"
import { endId } from "./sse/FeedFrames.ts"

export const ExecutionsHandlers = HttpApiBuilder.group(
  HttpApi.make("fairlead").add(ExecutionsApi),
  "executions",
  Effect.fnUntraced(function* (handlers) {
    const [executions, transcripts, queue] = [yield* Executions, yield* Transcripts, yield* Queue]
    const position = ({ executionId, status }: Execution) =>
      status === "queued" ? queue.position(executionId) : Effect.succeedNone
    const runtimes = yield* ScriptRuntimes
    const policy = yield* AdmissionPolicy
    const { limits } = yield* HttpSettings
    const longAnswers = Places.make("long answers", limits.longAnswers)
    const results = yield* ResultAnswer.make(longAnswers)
    const outputs = yield* OutputAnswer.make(longAnswers)
    const followed = yield* ExecutionSse.make
    const languages = Effect.map(runtimes.all, (all) => all.flatMap((runtime) => runtime.languages))

    const page = (scope: "own" | "visible") =>
      Effect.fnUntraced(function* ({ query }: { readonly query: ListQuery }) {
        const asked = pageOf(query, 50)
        const { end_time: to, name, start_time: from, status: statuses } = query
        const labels = query.label?.map(labelMatchOf)
        const lang = query.lang === undefined ? undefined : languageNamed(query.lang)
        const filter = { scope, statuses, lang, name, labels, from, to, ...asked }
        const caller = yield* CurrentPrincipal
        if (asked.limit > shortPage) yield* Effect.orDie(longAnswers.take(caller.userId))
        const { results, total } = yield* executions.list(caller, filter)
        const page = pageEcho(asked, total, results.length)
        return answered(Views.ResultList, { executions: results.map(resultView), ...page })
      })

    return handlers.handleAll({
      submit: Effect.fnUntraced(
        function* ({ headers, payload, query }) {
          const { args, env, labels, lang, langVersion, name, priority, runtime, script, waitForBackground, ...more } =
            payload
          const asked = { script, lang, langVersion, runtime, args, env, waitForBackground, priority, name, labels }
          const request = { ...asked, limits: wantedLimits(more), ...wantedQueueing(more) }
          const idempotencyKey = headers["idempotency-key"]
          const origin = yield* CurrentRequestSource
          const made = yield* executions.submit(yield* CurrentPrincipal, { ...request, idempotencyKey }, origin)
          const preferred = preferredWait(headers.prefer)
          const { executionId, status } = made
          const applied = query.wait_seconds === undefined && preferred !== undefined ? `wait=${preferred}` : undefined
          return yield* results.accepted({ executionId, status }, query.wait_seconds ?? preferred ?? 0, applied)
        },
        Effect.catchTags({ LimitTooHigh: (error) => Effect.fail(inRequestUnits(error)) })
      ),
      list: page("visible"),
      listOwn: page("own"),
      get: Effect.fnUntraced(function* ({ params }) {
        const execution = yield* executions.get(yield* CurrentPrincipal, params.execution_id)
        return answered(Views.ExecutionView, executionView(execution, yield* position(execution)))
      }),
      update: Effect.fnUntraced(function* ({ params, payload }) {
        const execution = yield* executions.relabel(yield* CurrentPrincipal, params.execution_id, payload)
        return answered(Views.ExecutionView, executionView(execution, yield* position(execution)))
      }),
      attempts: Effect.fnUntraced(function* ({ params: { execution_id: executionId } }) {
        const found = yield* executions.attempts(yield* CurrentPrincipal, executionId)
        return answered(Views.AttemptList, { executionId, attempts: found.map(attemptView) })
      }),
      result: Effect.fnUntraced(function* ({ params, query }) {
        return yield* results.result(params.execution_id, query.wait_seconds ?? 0, query.attempt)
      }),
      cancel: Effect.fnUntraced(function* ({ params, payload }) {
        const { execution_id: executionId } = params
        const origin = yield* CurrentRequestSource
        const { requested } = yield* executions.cancel(yield* CurrentPrincipal, executionId, payload?.reason, origin)
        return answered(Views.Cancellation, cancellationView(executionId, requested))
      }),
      retry: Effect.fnUntraced(
        function* ({ params }) {
          const { executionId, status } = yield* executions.retry(
            yield* CurrentPrincipal,
            params.execution_id,
            yield* CurrentRequestSource
          )
          return answered(Views.Accepted, { executionId, status })
        },
        Effect.catchTags({
          // Neither a key nor a start is given with a retry.
          IdempotencyKeyReused: Effect.die,
          RunAtTooFar: Effect.die,
          LimitTooHigh: (error) => Effect.fail(inRequestUnits(error))
        })
      ),
      remove: Effect.fnUntraced(
        function* ({ params }) {
          yield* executions.remove(yield* CurrentPrincipal, params.execution_id, yield* CurrentRequestSource)
          return { message: "Execution deleted successfully", executionId: params.execution_id }
        },
        Effect.catchTags({
          ExecutionActive: ({ executionId, executionStatus }) =>
            Effect.fail(new ExecutionStillActive({ executionId, executionStatus }))
        })
      ),
      events: Effect.fnUntraced(function* ({ params, query }) {
        const tags = query.event_types?.flatMap((name) => tagOf(name) ?? [])
        const filter = { afterVersion: 0, limit: query.limit, tags }
        return yield* executions.events(yield* CurrentPrincipal, params.execution_id, filter)
      }),
      logs: Effect.fnUntraced(function* ({ headers, params, query }) {
        const answer = query.follow === true ? outputs.follow : outputs.part
        return yield* answer(yield* CurrentPrincipal, params.execution_id, OutputAnswer.questionOf(query, headers))
      }),
      transcript: Effect.fnUntraced(function* ({ params: { execution_id: executionId }, query }) {
        const from = parseTranscriptPosition(query.cursor ?? "") ?? beginningOfTranscript
        const page = yield* transcripts.read(yield* CurrentPrincipal, executionId, { ...query, from })
        return answered(Views.Transcript, transcriptView(executionId, page))
      }),
      stream: Effect.fnUntraced(function* ({ headers, params, query }) {
        const caller = yield* CurrentPrincipal
        const lastId = headers["last-event-id"] ?? query.last_event_id
        if (lastId !== endId) return yield* followed(caller, params.execution_id, lastId)
        yield* executions.get(caller, params.execution_id)
        return HttpServerResponse.empty({ status: 204 })
      }),
      limits: () =>
        Effect.map(languages, (found) =>
          HttpApiSchema.withHeaders({
            body: resourceLimits(policy.limits.defaults, found),
            headers: { "cache-control": "public, max-age=300" as const }
          })
        ),
      examples: () =>
        Effect.map(languages, (found) => {
          const names = new Set(found.map(({ name }) => name))
          const scripts = Object.entries(exampleScripts).filter(([name]) => names.has(name))
          return HttpApiSchema.withHeaders({
            body: { scripts: Object.fromEntries(scripts) },
            headers: { "cache-control": "public, max-age=600" as const }
          })
        })
    })
  }, withServices)
).pipe(lean)

/** Longer ones take so much work that one caller gets only a few at once. */
const shortPage = 50
