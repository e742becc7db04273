import { ConsumerGroupStore } from "@fairlead/core/bus/ConsumerGroupStore"
import { EventLog } from "@fairlead/core/events/EventLog"
import { MemoryDatabase } from "@fairlead/core/storage/MemoryDatabase"
import { Wakeups } from "@fairlead/core/wakeups/Wakeups"
import * as ConsumerGroupStoreContract from "@fairlead/testing/contracts/ConsumerGroupStoreContract"
import { Layer } from "effect"

ConsumerGroupStoreContract.suite(
  "memory",
  ConsumerGroupStore.layerMemory.pipe(
    Layer.provide(EventLog.layerMemory),
    Layer.provide(Wakeups.layerMemory),
    Layer.provide(MemoryDatabase.layer)
  )
)
