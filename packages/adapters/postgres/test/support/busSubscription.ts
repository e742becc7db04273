import { BusGroup } from "@fairlead/core/bus/Delivery"
import type { Subscription } from "@fairlead/core/bus/Subscription"

/** What the members of the live test share. */
export const subscription: Subscription = {
  group: BusGroup.make("live"),
  from: "now",
  retry: { strategy: "immediate", maxAttempts: 3 },
  timeoutMillis: 60_000
}
