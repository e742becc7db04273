/** `Bus` over the event log in the same database: its outbox is the log, and what it remembers is in `PostgresBusLedger`. */
import { Bus } from "@fairlead/core/bus/Bus"
import { Layer } from "effect"
import * as PostgresBusLedger from "./PostgresBusLedger.ts"
import * as PostgresEventLog from "./PostgresEventLog.ts"

export const layer = Bus.layer.pipe(Layer.provide([PostgresBusLedger.layer, PostgresEventLog.layer]))
