import { describe } from "@effect/vitest"
import * as StoresContract from "@fairlead/testing/contracts/StoresContract"
import * as freshDatabase from "./support/freshDatabase.ts"

describe.skipIf(process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  StoresContract.suite("postgres", freshDatabase.layer())
})
