/** The commands of `fairlead`, and what is said when one fails. */
import { version } from "@fairlead/http/api/Version"
import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { settings } from "./HostConfig.ts"
import { serve } from "./Serve.ts"

const serveCommand = Command.make("serve", {}, () => serve()).pipe(
  Command.withDescription("Serve the API. Settings are environment variables: see `fairlead settings`.")
)

const settingsCommand = Command.make("settings", {}, () =>
  Effect.forEach(
    Object.entries(settings),
    ([name, { about, standard }]) => Console.log(`${name}\n    ${about}\n    Default: ${standard}`),
    { discard: true }
  )
).pipe(Command.withDescription("List the environment variables that the host reads."))

const fairlead = Command.make("fairlead").pipe(
  Command.withDescription("Runs scripts where they are needed, and shows what runs there."),
  Command.withSubcommands([serveCommand, settingsCommand])
)

export const run = Command.run(fairlead, { version })
