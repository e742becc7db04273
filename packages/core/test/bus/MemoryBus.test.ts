import { BusLedger } from "@fairlead/core/bus/BusLedger"
import { EventLog } from "@fairlead/core/events/EventLog"
import { MemoryDatabase } from "@fairlead/core/storage/MemoryDatabase"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import * as BusLedgerContract from "@fairlead/testing/contracts/BusLedgerContract"
import { Layer } from "effect"

BusLedgerContract.suite(
  "memory",
  BusLedger.layerMemory.pipe(
    Layer.provide(EventLog.layerMemory),
    Layer.provide(Wakeups.layerMemory),
    Layer.provide(MemoryDatabase.layer)
  )
)
