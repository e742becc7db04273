import * as PgliteStorage from "@fairlead/postgres/pglite/PgliteStorage"
import * as AuthStoresContract from "@fairlead/testing/contracts/AuthStoresContract"

AuthStoresContract.suite("pglite", PgliteStorage.layer())
