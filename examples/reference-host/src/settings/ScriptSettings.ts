/** Scripts: where they run, how many, how long, and how long they are kept. */
import { defaultMaxStoredOutputBytes } from "@fairlead/core/executions/OutputQuota"
import { defaultQueueBounds } from "@fairlead/core/queue/QueueBounds"
import { RuntimeKind } from "@fairlead/core/runtime/Job"
import { Config, Schema } from "effect"
import { integer, list, onOff, optional, optionalFormed, optionalInteger, setting } from "./Setting.ts"

/** `process=100`. */
const RuntimeLimit = Schema.TemplateLiteralParser([
  RuntimeKind,
  "=",
  Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 100_000 }))
])

export const scriptSettings = {
  FAIRLEAD_PROCESS_RUNTIME: onOff(
    "FAIRLEAD_PROCESS_RUNTIME",
    "off",
    "Whether scripts may run as processes of this machine. `npm start` switches it on."
  ),
  FAIRLEAD_PROCESS_UIDS: optional(
    "FAIRLEAD_PROCESS_UIDS",
    "60770-61183 for root, otherwise none",
    "User ids under which scripts run when the instance is root, `first-last`, one for each script at a time, at most 1000. Neither users, groups nor containers (`/etc/subuid`) of the machine may have them."
  ),
  FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER: onOff(
    "FAIRLEAD_UNSAFE_SCRIPTS_AS_HOST_USER",
    "off",
    "Whether scripts of an instance that is not root may run as its user: they may then read and change what it may, its keys and its database too unless `isolation` says that they are hidden. `npm start` switches it on."
  ),
  FAIRLEAD_SHARED_DIRECTORIES: list(
    "FAIRLEAD_SHARED_DIRECTORIES",
    "Absolute paths of directories of this machine to which scripts can write, as far as their user may. With namespaces all else is read-only for scripts."
  ),
  FAIRLEAD_PROCESS_PYTHON: optionalFormed(
    "FAIRLEAD_PROCESS_PYTHON",
    /^\/./,
    "every version on the PATH",
    "Absolute path of the Python that scripts get, or of the folder of a virtual environment, for its packages. It is the only Python then, and must be where scripts may read: not below `FAIRLEAD_DATA_DIR` nor, with namespaces, `/tmp`."
  ),
  FAIRLEAD_PROCESS_PYTHON_ISOLATION: onOff(
    "FAIRLEAD_PROCESS_PYTHON_ISOLATION",
    "on",
    "Whether Python scripts run in isolated mode (`python -I`): they import no modules from their own folder, and PYTHON* variables of a request have no effect."
  ),
  FAIRLEAD_MAX_RUNNING: integer(
    "FAIRLEAD_MAX_RUNNING",
    [1, 500],
    32,
    "Scripts that run at once on this machine; the others wait."
  ),
  FAIRLEAD_MAX_RUNNING_PER_USER: optionalInteger(
    "FAIRLEAD_MAX_RUNNING_PER_USER",
    [1, 100_000],
    "Scripts of one user that run at once, on all instances together; the others wait."
  ),
  FAIRLEAD_MAX_RUNNING_PER_RUNTIME: setting(
    Config.Array(RuntimeLimit, "FAIRLEAD_MAX_RUNNING_PER_RUNTIME").pipe(Config.withDefault([])),
    "no limit",
    "Scripts of one kind of runtime that run at once, on all instances together: `process=100`. Separated by commas."
  ),
  FAIRLEAD_QUEUE_TTL_SECONDS: integer(
    "FAIRLEAD_QUEUE_TTL_SECONDS",
    [1, 604_800],
    86_400,
    "Longest wait for a start of an execution that names none; then it ends as `timeout`."
  ),
  FAIRLEAD_QUEUE_AGEING_SECONDS: integer(
    "FAIRLEAD_QUEUE_AGEING_SECONDS",
    [0, 86_400],
    60,
    "Waiting time that one step of priority is worth; instances that share a database use the same."
  ),
  FAIRLEAD_NODE_TIMEOUT_SECONDS: integer(
    "FAIRLEAD_NODE_TIMEOUT_SECONDS",
    [20, 3_600],
    45,
    "How long the machine of a script may be without an instance before the script is given up as lost by the others."
  ),
  FAIRLEAD_RETENTION_DAYS: integer(
    "FAIRLEAD_RETENTION_DAYS",
    [0, 36_500],
    0,
    "Days after its end on which an execution is removed with output, result and sagas; its events stay. 0 keeps it for ever."
  ),
  FAIRLEAD_MAX_ACTIVE: integer(
    "FAIRLEAD_MAX_ACTIVE",
    [1, 1_000_000],
    10_000,
    "Executions accepted and not ended, of everybody; more are refused with 429. The last fifth is open only to users who have little in the queue, the last hundredth to administrators."
  ),
  FAIRLEAD_MAX_ACTIVE_PER_USER: integer("FAIRLEAD_MAX_ACTIVE_PER_USER", [1, 1_000_000], 1_000, "The same of one user."),
  FAIRLEAD_MAX_PLANNED: integer(
    "FAIRLEAD_MAX_PLANNED",
    [1, 1_000_000],
    defaultQueueBounds.maxPlanned,
    "Executions of everybody that are planned for later with `run_at`; they are counted apart from those above."
  ),
  FAIRLEAD_MAX_PLANNED_PER_USER: integer(
    "FAIRLEAD_MAX_PLANNED_PER_USER",
    [1, 1_000_000],
    defaultQueueBounds.maxPlannedPerUser,
    "The same of one user."
  ),
  FAIRLEAD_MAX_STORED_OUTPUT_MB_PER_USER: integer(
    "FAIRLEAD_MAX_STORED_OUTPUT_MB_PER_USER",
    [0, 100_000_000],
    defaultMaxStoredOutputBytes / 1024 ** 2,
    "MiB of output that are kept of the executions of one user; once they are reached, more executions are refused with 409 until the user deletes some. 0 sets no bound."
  )
}
