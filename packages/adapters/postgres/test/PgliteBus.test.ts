import * as PostgresConsumerGroupStore from "@fairlead/postgres/PostgresConsumerGroupStore"
import { layerMigrations } from "@fairlead/postgres/PostgresStorage"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import * as ConsumerGroupStoreContract from "@fairlead/testing/contracts/ConsumerGroupStoreContract"
import { Layer } from "effect"

ConsumerGroupStoreContract.suite(
  "pglite",
  PostgresConsumerGroupStore.layer.pipe(Layer.provide(layerMigrations), Layer.provide(PgliteClient.layer()))
)
