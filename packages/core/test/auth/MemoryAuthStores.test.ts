import * as Stores from "@fairlead/core/Stores"
import * as AuthStoresContract from "@fairlead/testing/contracts/AuthStoresContract"

AuthStoresContract.suite("memory", Stores.layerMemory)
