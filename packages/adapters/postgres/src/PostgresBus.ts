/** `Bus` over the event log in the same database: its outbox is the log, and what it remembers is in `PostgresConsumerGroupStore`. */
import { Bus } from "@fairlead/core/bus/Bus"
import { Layer } from "effect"
import * as PostgresConsumerGroupStore from "./PostgresConsumerGroupStore.ts"
import * as PostgresEventLog from "./PostgresEventLog.ts"

export const layer = Bus.layer.pipe(Layer.provide([PostgresConsumerGroupStore.layer, PostgresEventLog.layer]))
