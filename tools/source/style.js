// Holds every source file of packages, examples and bench, except generated ones, to the rules of faults.js.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { filesBelow, root } from "../workspace.js"
import { faultsOf } from "./faults.js"

const files = ["packages", "examples", "bench"]
  .flatMap((folder) => filesBelow(join(root, folder)).map((file) => `${folder}/${file}`))
  .filter((file) => /\.tsx?$/.test(file) && !/\/generated\//.test(file))

const faults = files.flatMap((file) => faultsOf(file, readFileSync(join(root, file), "utf8")))
for (const fault of faults) console.error(fault)
console.log(`${files.length} files read, ${faults.length} faults`)
if (faults.length > 0 || files.length === 0) process.exitCode = 1
