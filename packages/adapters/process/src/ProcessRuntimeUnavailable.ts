/** Why scripts cannot run as processes of this machine. */
import { Schema } from "effect"

/**
 * This machine, or this configuration, cannot run jobs. `user`: they would run as the host's user; `uids`: those are not free;
 * `keeper`: no level of isolation works. For the person who starts the host: `detail` may name paths.
 */
export class ProcessRuntimeUnavailable extends Schema.TaggedError<ProcessRuntimeUnavailable>()(
  "ProcessRuntimeUnavailable",
  {
    reason: Schema.Literals(["options", "platform", "directory", "keeper", "user", "uids"]),
    detail: Schema.String
  }
) {
  override get message() {
    return this.detail
  }
}
