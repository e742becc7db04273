/** What makes two requests the same one. Pure. */
import { DateTime, Redacted } from "effect"
import type { ExecutionRequest } from "./ExecutionRequest.ts"

/** The same text for the same request: members in a fixed order, secrets included, the idempotency key left out. */
export const requestText = ({
  args,
  env,
  lang,
  langVersion,
  limits,
  priority,
  runtime,
  script,
  ...more
}: ExecutionRequest & { readonly langVersion: string }) =>
  JSON.stringify([
    script,
    lang,
    langVersion,
    runtime ?? null,
    args ?? [],
    env === undefined ? [] : Object.entries(Redacted.value(env)).sort(([a], [b]) => (a < b ? -1 : 1)),
    Object.entries(limits ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    priority ?? null,
    ...timing(more),
    ...calling(more),
    ...ending(more)
  ])

/** Whether it waits for its background, behind all others. */
const ending = ({ waitForBackground = false }: Pick<ExecutionRequest, "waitForBackground">) =>
  waitForBackground ? [{ waitForBackground }] : []

/** What it is to be called. */
const calling = ({ labels = {}, name }: Pick<ExecutionRequest, "labels" | "name">) =>
  name === undefined && Object.keys(labels).length === 0
    ? []
    : [{ name, labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)) }]

/** Nothing for a request that names none of these, so that its text stays what it was before they were there. */
const timing = ({ concurrencyKey, concurrencyPolicy, retryPolicy, runAt, ttlMillis }: Partial<ExecutionRequest>) => {
  const wanted = [
    concurrencyKey,
    concurrencyKey && (concurrencyPolicy ?? "queue"),
    retryPolicy && [retryPolicy.maxAttempts, retryPolicy.backoffMillis, retryPolicy.on.toSorted()],
    runAt && DateTime.formatIso(runAt),
    ttlMillis
  ]
  return wanted.some((each) => each !== undefined) ? wanted.map((each) => each ?? null) : []
}
