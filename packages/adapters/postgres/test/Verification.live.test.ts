import { describe } from "@effect/vitest"
import * as PostgresClient from "@fairlead/postgres/PostgresClient"
import { Effect, Layer } from "effect"
import { suite } from "./support/damagedDatabase.ts"
import { freshDatabase } from "./support/freshDatabase.ts"

describe.skipIf(process.env["FAIRLEAD_TEST_DATABASE_URL"] === undefined)("needs FAIRLEAD_TEST_DATABASE_URL", () => {
  suite("postgres", Layer.unwrap(Effect.map(freshDatabase, (url) => PostgresClient.layer({ url }))))
})
