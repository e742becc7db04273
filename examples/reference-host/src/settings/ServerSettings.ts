/** Where the instance listens, and where it keeps things. */
import { integer, optional, secret, text } from "./Setting.ts"

export const serverSettings = {
  FAIRLEAD_HOST: text("FAIRLEAD_HOST", "127.0.0.1", "Address to listen on. `0.0.0.0` for every interface."),
  FAIRLEAD_PORT: integer("FAIRLEAD_PORT", [0, 65_535], 8080, "Port to listen on; 0 takes a free one."),
  FAIRLEAD_URL: optional(
    "FAIRLEAD_URL",
    "that of `FAIRLEAD_HOST` and `FAIRLEAD_PORT`, if scripts of this machine reach it",
    "Address at which scripts reach this instance, told to them in `FAIRLEAD_URL`: `https://fairlead.example.com`."
  ),
  FAIRLEAD_DATA_DIR: text(
    "FAIRLEAD_DATA_DIR",
    "./data",
    "Folder of the embedded database, the keys and the jobs of the process runtime."
  ),
  DATABASE_URL: secret(
    "DATABASE_URL",
    "embedded database",
    "A PostgreSQL server to use instead of the embedded database: `postgres://user:password@host:5432/database`."
  ),
  FAIRLEAD_INSTANCE_NAME: optional(
    "FAIRLEAD_INSTANCE_NAME",
    "the machine's name",
    "Name of this instance in sagas and jobs; unique among instances that share a database."
  )
}
