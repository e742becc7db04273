// Checks the arrows between packages. Fails when it sees no module or follows no import into core, so that it cannot pass by reading nothing.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { cruise } from "dependency-cruiser"
import { root } from "../workspace.js"
import rules from "./rules.js"

process.chdir(root)
const folders = ["packages", "examples", "bench"].filter((folder) => existsSync(join(root, folder)))
const { output } = await cruise(folders, { ...rules.options, ruleSet: { forbidden: rules.forbidden }, validate: true })
const { summary, modules } = output

for (const violation of summary.violations) {
  const path = violation.cycle === undefined ? violation.to : violation.cycle.map((step) => step.name).join(" → ")
  console.error(`${violation.rule.name}: ${violation.from} → ${path}`)
}

const read = modules.filter((module) => /^(packages|examples|bench)\/.*\.ts$/.test(module.source))
const intoCore = read.filter(
  (module) =>
    !module.source.startsWith("packages/core/") &&
    module.dependencies.some((to) => to.resolved.startsWith("packages/core/src/"))
)
console.log(
  `${read.length} modules, ${summary.totalDependenciesCruised} imports, ${summary.violations.length} violations`
)
if (read.length === 0) console.error("No module was read.")
else if (intoCore.length === 0) console.error("No import from another package into core was followed.")
if (summary.violations.length > 0 || intoCore.length === 0) process.exitCode = 1
