/** What people call an execution: a name and labels, by which they find it again. They mean nothing to Fairlead and may change at any time. Pure. */
import { Result } from "effect"
import { Execution, type Labels } from "./Execution.ts"
import { TooManyLabels } from "./ExecutionError.ts"

/** Of one execution. */
export const maximumLabels = 32

/** `null` takes the name or a label away; what is absent stays. */
export interface LabelChange {
  readonly name?: string | null | undefined
  readonly labels?: Readonly<Record<string, string | null>> | undefined
}

/** A label that must be there, with that value if one is given. */
export interface LabelMatch {
  readonly key: string
  readonly value?: string | undefined
}

export const relabelled = (execution: Execution, change: LabelChange): Result.Result<Execution, TooManyLabels> => {
  const name = change.name === undefined ? execution.name : (change.name ?? undefined)
  const all = Object.entries({ ...execution.labels, ...change.labels })
  const labels = Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null))
  if (Object.keys(labels).length > maximumLabels)
    return Result.fail(new TooManyLabels({ executionId: execution.executionId, maximum: maximumLabels }))
  return Result.succeed(called(execution, name, labels))
}

/** The execution as its saga moves it, called what the stored one is called: sagas do not know what people have changed meanwhile. */
export const calledAsStored = (moved: Execution, stored: Execution | undefined): Execution =>
  stored === undefined ? moved : called(moved, stored.name, stored.labels ?? {})

const called = (execution: Execution, name: string | undefined, labels: Labels) => {
  const { labels: _, name: __, ...rest } = execution
  return new Execution({
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(Object.keys(labels).length === 0 ? {} : { labels })
  })
}

export const isCalled = (
  { labels = {}, name }: Execution,
  wanted: { readonly name?: string | undefined; readonly labels?: ReadonlyArray<LabelMatch> | undefined }
): boolean =>
  (wanted.name === undefined || (name ?? "").toLowerCase().includes(wanted.name.toLowerCase())) &&
  (wanted.labels ?? []).every(({ key, value }) => Object.hasOwn(labels, key) && (value ?? labels[key]) === labels[key])

/** `key` or `key=value`. */
export const labelMatchOf = (text: string): LabelMatch => {
  const at = text.indexOf("=")
  return at === -1 ? { key: text } : { key: text.slice(0, at), value: text.slice(at + 1) }
}
