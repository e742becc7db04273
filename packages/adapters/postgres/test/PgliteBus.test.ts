import * as PostgresBusLedger from "@fairlead/postgres/PostgresBusLedger"
import { layerMigrations } from "@fairlead/postgres/PostgresStorage"
import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import * as BusLedgerContract from "@fairlead/testing/contracts/BusLedgerContract"
import { Layer } from "effect"

BusLedgerContract.suite(
  "pglite",
  PostgresBusLedger.layer.pipe(Layer.provide(layerMigrations), Layer.provide(PgliteClient.layer()))
)
