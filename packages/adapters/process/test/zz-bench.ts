import { make } from "@fairlead/process/ProcessRuntime"
import { contractJob } from "@fairlead/testing/contracts/ScriptRuntimeContract"
import { Effect, Stream } from "effect"
import { mkdtempSync } from "node:fs"
import { spawn } from "node:child_process"
const N = Number(process.argv[2] ?? 60)
const bare = () => new Promise<number>((ok) => { const a = performance.now(); const c = spawn("/usr/bin/python3", ["-I", "-u", "/tmp/pr/one.py"], { stdio: ["ignore", "pipe", "pipe"] }); c.stdout.resume(); c.stderr.resume(); c.on("close", () => ok(performance.now() - a)) })
import { writeFileSync } from "node:fs"
writeFileSync("/tmp/pr/one.py", "print(1)\n")
const pct = (xs: number[]) => { xs.sort((a, b) => a - b); return `p50 ${xs[xs.length >> 1]!.toFixed(1)} p95 ${xs[Math.floor(xs.length * .95)]!.toFixed(1)} p99 ${xs[Math.floor(xs.length * .99)]!.toFixed(1)} max ${xs.at(-1)!.toFixed(1)}` }
await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
  const mk = (o: object) => make({ directory: mkdtempSync("/tmp/pr/d-"), interpreterPath: "/usr/bin", ...o })
  const rts = { ns: yield* mk({}), nsuid: yield* mk({ uids: { first: 64000, count: 32 } }), basic: yield* mk({ level: "basic", uids: { first: 64100, count: 32 } }) }
  const out: Record<string, number[]> = { bare: [], first: [] }
  for (let i = 0; i < N; i++) {
    out.bare!.push(yield* Effect.promise(bare))
    for (const [name, rt] of Object.entries(rts)) {
      const spec = contractJob(rt, "python", ["print(1)"])
      const a = performance.now()
      const h = yield* rt.start(spec)
      const b = performance.now()
      let first = 0
      yield* Stream.runForEach(rt.observe(h, { stdout: 0, stderr: 0 }), (x) => Effect.sync(() => { if (x._tag === "Chunk") first = performance.now(); else if (x.report.end._tag !== "Exited") console.log(x.report) }))
      const c = performance.now()
      ;(out[name] ??= []).push(c - a); (out[`${name} start`] ??= []).push(b - a); (out[`${name} chunk→end`] ??= []).push(c - first)
    }
  }
  for (const [k, v] of Object.entries(out)) if (v.length) console.log(k.padEnd(20), pct(v))
})))
process.exit(0)
