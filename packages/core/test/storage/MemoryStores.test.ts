import { Storage } from "@fairlead/core/storage/Storage"
import * as StoresContract from "@fairlead/testing/contracts/StoresContract"

StoresContract.suite("memory", Storage.layerMemory)
