import * as PgliteStorage from "@fairlead/postgres/pglite/PgliteStorage"
import * as StoresContract from "@fairlead/testing/contracts/StoresContract"

StoresContract.suite("pglite", PgliteStorage.layer())
