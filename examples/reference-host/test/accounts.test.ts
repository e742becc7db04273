/** Programs that ask who they are get an answer: scripts have an account, whoever runs the host. */
import { spawnSync } from "node:child_process"
import { assert, describe, it } from "vitest"
import { type Caller, logIn, startHost } from "./support/HostProcess.ts"
import { ways } from "./support/ways.ts"

const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0

const run = async (caller: Caller, lang: string, script: string) => {
  const body = { script, lang, lang_version: "latest" }
  const { execution_id: id } = await caller.call("POST", "/executions", body)
  return caller.call("GET", `/executions/${id}/result?wait_seconds=30`)
}

/** Prints name and home, as the environment and as the accounts tell them. */
const scripts: ReadonlyArray<readonly [string, string]> = [
  [
    "bash",
    'echo "$USER $HOME"; echo "$LOGNAME $HOME"; echo "$(whoami) $(getent passwd "$(id -un)" | cut -d: -f6)"; [ "$(id -gn)" = "$USER" ]'
  ],
  [
    "python",
    "import getpass, os, pwd\nfor who in (getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name): print(who, os.path.expanduser('~' + who))"
  ],
  ["node", "const me = require('os').userInfo(); console.log(me.username, me.homedir)"]
]
const tools = [
  ...(has("ssh") ? ["ssh -V"] : []),
  ...(has("git")
    ? ["git init -q . && git -c user.email=job@example.com commit -q --allow-empty -m first && git log --format=%an"]
    : [])
]

describe("the account of a script", () => {
  it.each(ways.filter(({ level }) => level === "namespace"))(
    "is found by programs of $name",
    { timeout: 120_000 },
    async ({ options }) => {
      const host = await startHost(options)
      try {
        const caller = await logIn(host.url)
        for (const [lang, script] of scripts) {
          const result = await run(caller, lang, script)
          assert.deepInclude(result, { status: "completed", stderr: "" })
          const lines = new Set(`${result["stdout"]}`.trim().split("\n"))
          assert.strictEqual(lines.size, 1, `${lang}: ${result["stdout"]}`)
          assert.match([...lines].join(), /^fairlead(-\d+)? \/tmp\/work$/)
        }
        for (const tool of tools) assert.deepInclude(await run(caller, "bash", tool), { status: "completed" })
      } finally {
        await host.stop()
      }
    }
  )

  // Nothing can be put in the place of the machine's accounts there.
  it.each(ways.filter(({ level }) => level === "basic"))(
    "is told by the environment to programs of $name",
    { timeout: 120_000 },
    async ({ options }) => {
      const host = await startHost(options)
      try {
        const caller = await logIn(host.url)
        const python = await run(
          caller,
          "python",
          "import getpass, os\nprint(getpass.getuser() == f'fairlead-{os.getuid()}')"
        )
        assert.deepInclude(python, { status: "completed", stdout: "True\n" })
        assert.deepInclude(await run(caller, "bash", '[ "$USER" = "$LOGNAME" ] && [ "$HOME" = "$PWD" ]'), {
          status: "completed"
        })
      } finally {
        await host.stop()
      }
    }
  )
})
