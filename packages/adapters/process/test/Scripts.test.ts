/** Scripts as people have them. */
import { assert, describe, it } from "@effect/vitest"
import { contractJob, exited, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect } from "effect"
import { levels, place } from "./fixtures.ts"

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

const byPath = {
  bash: ["echo out >/dev/stdout", "echo err >/dev/stderr", "echo more >/dev/fd/1", "echo last | tee /dev/stderr"],
  perl: [
    "for (['/dev/stdout', 'out'], ['/dev/stderr', 'err'], ['/dev/fd/1', 'more'], ['/dev/fd/1', 'last'], ['/proc/self/fd/2', 'last']) {",
    "  open my $file, '>', $_->[0] or die; print $file $_->[1] . qq(\\n) }"
  ],
  python: [
    "for path, text in (('stdout', 'out'), ('stderr', 'err'), ('fd/1', 'more'), ('fd/1', 'last'), ('fd/2', 'last')):",
    "  with open('/dev/' + path, 'w') as file: print(text, file=file)"
  ],
  node: [
    "const { writeFileSync } = require('node:fs')",
    "for (const [path, text] of [['stdout', 'out'], ['stderr', 'err'], ['fd/1', 'more'], ['fd/1', 'last'], ['fd/2', 'last']])",
    "  writeFileSync('/dev/' + path, text + '\\n')"
  ]
} as const

for (const [name, options] of levels)
  describe(`a script that opens its output by a path: ${name}`, () => {
    it.live.each(["bash", "perl", "python", "node"] as const)("can do so in %s", (language) =>
      Effect.gen(function* () {
        const runtime = yield* (yield* place({ ...options, languages: [language] })).host
        const spec = contractJob(runtime, language, byPath[language])
        const seen = readable(yield* observeAll(runtime, yield* runtime.start(spec)))
        assert.deepStrictEqual(seen, { stdout: "out\nmore\nlast\n", stderr: "err\nlast\n", end: exited(0) })
      }).pipe(Effect.scoped)
    )
  })
