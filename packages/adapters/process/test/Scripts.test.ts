/** Scripts as people have them. */
import { assert, describe, it } from "@effect/vitest"
import { contractJob, exited, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect } from "effect"
import { place } from "./fixtures.ts"

/** Each prints a line of a loop, a line of a text over several lines, and nothing else. */
const scripts = {
  bash: ["for n in 1; do", "  echo loop", "done", "cat <<EOF", "text", "EOF", "exit 0"],
  perl: ["for my $n (1) {", '  print "loop\\n";', "}", "print <<EOF;", "text", "EOF"],
  python: ["for n in [1]:", '    print("loop")', 'print("""\\', 'text""")'],
  node: ["for (const n of [1]) {", '  console.log("loop")', "}", "console.log(`text`)"]
} as const

describe("a script with the line ends of Windows", () => {
  it.live.each(["bash", "perl", "python", "node"] as const)("runs in %s as with those of Unix", (language) =>
    Effect.gen(function* () {
      const runtime = yield* (yield* place({ languages: [language] })).host
      for (const lineEnd of ["\n", "\r\n"]) {
        const spec = { ...contractJob(runtime, language, []), script: scripts[language].join(lineEnd) + lineEnd }
        const seen = readable(yield* observeAll(runtime, yield* runtime.start(spec)))
        assert.deepStrictEqual(seen, { stdout: "loop\ntext\n", stderr: "", end: exited(0) }, JSON.stringify(lineEnd))
      }
    }).pipe(Effect.scoped)
  )
})
