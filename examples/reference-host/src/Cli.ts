/** The commands of `fairlead`, and what is said when one fails. */
import { version } from "@fairlead/http/api/Version"
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { settings } from "./HostConfig.ts"
import { serve } from "./Serve.ts"
import { verify } from "./Verify.ts"

const serveCommand = Command.make("serve", {}, () => serve()).pipe(
  Command.withDescription("Serve the API. Settings are environment variables: see `fairlead settings`.")
)

const settingsCommand = Command.make("settings", {}, () =>
  Effect.forEach(
    Object.entries(settings),
    ([name, { about, default: fallback }]) => Console.log(`${name}\n    ${about}\n    Default: ${fallback}`),
    { discard: true }
  )
).pipe(Command.withDescription("List the environment variables that the host reads."))

const verifyCommand = Command.make(
  "verify",
  {
    json: Flag.Boolean("json").pipe(
      Flag.withDefault(false),
      Flag.withDescription("One JSON value a line: every violation, then the summary.")
    ),
    activeOlderThanSeconds: Flag.Int("active-older-than").pipe(
      Flag.filter(
        (seconds) => seconds >= 0,
        (seconds) => `${seconds} is not a number of seconds`
      ),
      Flag.withMetavar("SECONDS"),
      Flag.optional,
      Flag.withDescription(
        "Also name executions that have not ended and are older than this. Default: their age is not judged."
      )
    ),
    ledgerFile: Flag.File("ledger", { mustExist: true }).pipe(
      Flag.withMetavar("FILE"),
      Flag.optional,
      Flag.withDescription("Compare with what scripts wrote themselves: lines `execution_id attempt pid time`.")
    )
  },
  verify
).pipe(
  Command.withDescription(
    "Prove from what is stored that every invariant holds, or name the rows that break one. Reads the database that `serve` would use."
  )
)

const fairlead = Command.make("fairlead").pipe(
  Command.withDescription("Runs scripts where they are needed, and shows what runs there."),
  Command.withSubcommands([serveCommand, settingsCommand, verifyCommand])
)

export const run = Command.run(fairlead, { version })
