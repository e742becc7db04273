/** `pnpm bench <name>`: runs one benchmark of this folder. */
const names = ["http", "executions", "sagas", "events", "growth", "streams"]
const [name = ""] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`usage: pnpm bench ${names.join("|")}`)
  process.exit(2)
}
await import(`./${name}.ts`)
