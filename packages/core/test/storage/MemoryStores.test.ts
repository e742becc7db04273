import * as Stores from "@fairlead/core/Stores"
import * as StoresContract from "@fairlead/testing/contracts/StoresContract"

StoresContract.suite("memory", Stores.layerMemory)
