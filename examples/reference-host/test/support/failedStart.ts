/** What a start that fails has to print: one line, with the words, without a password or a trace. */
import { assert } from "vitest"

export const assertSaid = (output: string, words: ReadonlyArray<string>) => {
  const lines = output.split("\n").filter((line) => line.includes("fairlead:"))
  assert.strictEqual(lines.length, 1, output)
  for (const word of words) assert.include(output, word)
  assert.notInclude(output, "hunter2")
  assert.notMatch(output, /^\s+at /m)
}
