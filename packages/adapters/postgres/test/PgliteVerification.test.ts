import * as PgliteClient from "@fairlead/postgres/pglite/PgliteClient"
import { suite } from "./support/damagedDatabase.ts"

suite("pglite", PgliteClient.layer())
