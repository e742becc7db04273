/** Refusals that several operations give alike, written once and referred to. */
import type { Answer, Paths } from "./openApiDocument.ts"

const problemType = "application/problem+json"

/**
 * Replaces each refusal that occurs more than once by a reference, and answers with what is referred to, by name. A name is made of
 * the problems that the refusal may be, so it stays the same while these do.
 */
export const shareAnswers = (paths: Paths): Readonly<Record<string, Answer>> => {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const refusals = operations.flatMap(({ responses }) => Object.values(responses).filter(isRefusal))
  const counts = new Map<string, number>()
  for (const refusal of refusals) counts.set(textOf(refusal), (counts.get(textOf(refusal)) ?? 0) + 1)

  const names = new Map<string, string>()
  const shared: Record<string, Answer> = {}
  const nameOf = (refusal: Answer, text: string) => {
    const known = names.get(text)
    if (known !== undefined) return known
    const base = problemsOf(refusal).join("Or")
    const taken = Object.keys(shared).filter((name) => name === base || name.startsWith(`${base}_`)).length
    const name = taken === 0 ? base : `${base}_${taken + 1}`
    names.set(text, name)
    shared[name] = refusal
    return name
  }
  for (const operation of operations)
    operation.responses = Object.fromEntries(
      Object.entries(operation.responses).map(([status, answer]) => {
        const text = textOf(answer)
        const isShared = isRefusal(answer) && (counts.get(text) ?? 0) > 1
        return [status, isShared ? { $ref: `#/components/responses/${nameOf(answer, text)}` } : answer]
      })
    )
  return shared
}

const textOf = (answer: Answer) => JSON.stringify(answer)

const isRefusal = ({ content = {} }: Answer) => {
  const types = Object.keys(content)
  return types.length === 1 && types[0] === problemType
}

/** Without the end that all of them have. */
const problemsOf = ({ content }: Answer): ReadonlyArray<string> => {
  const schema = content?.[problemType]?.schema ?? {}
  return (schema.anyOf ?? [schema]).map(({ $ref = "" }) => ($ref.split("/").at(-1) ?? "").replace(/Problem$/, ""))
}
