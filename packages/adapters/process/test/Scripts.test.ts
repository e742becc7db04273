/** Scripts as people have them. */
import { assert, describe, it } from "@effect/vitest"
import { contractJob, exited, observeAll, readable } from "@fairlead/testing/fixtures/JobFixtures"
import { Effect } from "effect"
import { situations } from "../src/internal/claims.ts"
import { discover, hostPath } from "../src/internal/languages.ts"
import { ownFolders } from "../src/internal/shimSpec.ts"
import { levels, place } from "./fixtures.ts"
import { reachable, runAs, subjectOf } from "./situations.ts"

const found = await Effect.runPromise(
  Effect.flatMap(hostPath, (path) =>
    discover({ path, unreachable: ownFolders, uid: undefined, languages: undefined, python: {} })
  )
)
const installed = new Set(found.map(({ language }) => language))
/** Of the languages of the table, those that this machine has; and their scripts. */
const offered = <Table extends Readonly<Record<string, ReadonlyArray<string>>>>(table: Table) =>
  Object.entries(table).filter(([language]) => installed.has(language))

/** Go has its own in GoLibraries.test.ts, where it need not compile everything. Each prints a line of a loop, a line of a text over several lines, and nothing else. */
const scripts = {
  bash: ["for n in 1; do", "  echo loop", "done", "cat <<EOF", "text", "EOF", "exit 0"],
  perl: ["for my $n (1) {", '  print "loop\\n";', "}", "print <<EOF;", "text", "EOF"],
  python: ["for n in [1]:", '    print("loop")', 'print("""\\', 'text""")'],
  node: ["for (const n of [1]) {", '  console.log("loop")', "}", "console.log(`text`)"],
  typescript: ["for (const n of [1] as number[]) {", '  console.log("loop")', "}", "console.log(`text`)"],
  ruby: ["for n in [1] do", '  puts "loop"', "end", "puts <<EOF", "text", "EOF"],
  php: ["<?php", "foreach ([1] as $n) {", '  echo "loop\\n";', "}", "echo <<<EOF", "text", "", "EOF;"],
  lua: ["for n = 1, 1 do", '  print("loop")', "end", "io.write([[", "text", "]])"],
  r: ["for (n in 1) {", '  cat("loop\\n")', "}", 'cat("text', '")'],
  java: [
    "class Main {",
    "  public static void main(String[] words) {",
    '    System.out.println("loop");',
    '    System.out.print("""',
    "      text",
    '      """);',
    "  }",
    "}"
  ]
}
/** Compilers take more than what is enough for a script. */
const compiled = { memoryBytes: 1024 ** 3, cpuMillis: 60_000, timeoutMillis: 60_000 }

describe("a script with the line ends of Windows", () => {
  it.live.each(offered(scripts))(
    "runs in %s as with those of Unix",
    ([language, lines]) =>
      Effect.gen(function* () {
        const runtime = yield* (yield* place({ languages: [language] })).host
        for (const lineEnd of ["\n", "\r\n"]) {
          const spec = { ...contractJob(runtime, language, [], compiled), script: lines.join(lineEnd) + lineEnd }
          const seen = readable(yield* observeAll(runtime, yield* runtime.start(spec)))
          assert.deepStrictEqual(seen, { stdout: "loop\ntext\n", stderr: "", end: exited(0) }, JSON.stringify(lineEnd))
        }
      }).pipe(Effect.scoped),
    90_000
  )
})

/** PHP opens no pipe by its path, wherever it runs. */
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
  ],
  typescript: [
    "import { writeFileSync } from 'node:fs'",
    "const lines: ReadonlyArray<[string, string]> = [['stdout', 'out'], ['stderr', 'err'], ['fd/1', 'more'], ['fd/1', 'last'], ['fd/2', 'last']]",
    "for (const [path, text] of lines) writeFileSync('/dev/' + path, text + '\\n')"
  ],
  ruby: [
    "[%w[stdout out], %w[stderr err], %w[fd/1 more], %w[fd/1 last], %w[fd/2 last]].each do |path, text|",
    "  File.open('/dev/' + path, 'w') { |file| file.puts text }",
    "end"
  ],
  lua: [
    "for _, line in ipairs({ { 'stdout', 'out' }, { 'stderr', 'err' }, { 'fd/1', 'more' }, { 'fd/1', 'last' }, { 'fd/2', 'last' } }) do",
    "  local file = assert(io.open('/dev/' .. line[1], 'w')); file:write(line[2] .. '\\n'); file:close()",
    "end"
  ],
  r: [
    "for (line in list(c('stdout', 'out'), c('stderr', 'err'), c('fd/1', 'more'), c('fd/1', 'last'), c('fd/2', 'last')))",
    "  cat(line[2], '\\n', sep = '', file = paste0('/dev/', line[1]))"
  ],
  java: [
    "class Main {",
    "  public static void main(String[] words) throws Exception {",
    '    String[][] lines = {{"stdout", "out"}, {"stderr", "err"}, {"fd/1", "more"}, {"fd/1", "last"}, {"fd/2", "last"}};',
    '    for (String[] line : lines) try (var file = new java.io.FileOutputStream("/dev/" + line[0])) {',
    '      file.write((line[1] + "\\n").getBytes());',
    "    }",
    "  }",
    "}"
  ]
}
const written = { stdout: "out\nmore\nlast\n", stderr: "err\nlast\n", end: exited(0) }

for (const [name, options] of levels)
  describe(`a script that opens its output by a path: ${name}`, () => {
    it.live.each(offered(byPath))(
      "can do so in %s",
      ([language, lines]) =>
        Effect.gen(function* () {
          const runtime = yield* (yield* place({ ...options, languages: [language] })).host
          const spec = contractJob(runtime, language, lines, compiled)
          assert.deepStrictEqual(readable(yield* observeAll(runtime, yield* runtime.start(spec))), written)
        }).pipe(Effect.scoped),
      90_000
    )
  })

for (const situation of reachable)
  describe(`a script that opens its output by a path: ${situations[situation]}`, () => {
    it.live.each(["bash", "perl", "python"] as const)("can do so in %s", (language) =>
      Effect.gen(function* () {
        const [seen] = yield* runAs(situation, language, yield* subjectOf(situation), [byPath[language]])
        assert.deepStrictEqual(seen, written)
      }).pipe(Effect.scoped)
    )
  })
