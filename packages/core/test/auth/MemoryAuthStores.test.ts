import { Storage } from "@fairlead/core/storage/Storage"
import * as AuthStoresContract from "@fairlead/testing/contracts/AuthStoresContract"

AuthStoresContract.suite("memory", Storage.layerMemory)
