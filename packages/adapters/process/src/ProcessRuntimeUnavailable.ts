/** Why scripts cannot run as processes of this machine. */
import { Schema } from "effect"

/**
 * This machine, or this configuration, cannot run jobs. `user`: they would run as the host's user; `uids`: those are not free;
 * `shim`: no level of isolation works; `python`: jobs cannot run the chosen one. For the person who starts the host: `detail` may name paths.
 */
export class ProcessRuntimeUnavailable extends Schema.TaggedError<ProcessRuntimeUnavailable>()(
  "ProcessRuntimeUnavailable",
  {
    reason: Schema.Literals(["options", "platform", "directory", "shim", "user", "uids", "python"]),
    detail: Schema.String
  }
) {
  override get message() {
    return this.detail
  }
}
