import { describe } from "@effect/vitest"
import * as AuthStoresContract from "@fairlead/testing/contracts/AuthStoresContract"
import * as freshDatabase from "./support/freshDatabase.ts"

describe.skipIf(process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  AuthStoresContract.suite("postgres", freshDatabase.layer())
})
