// Writes docs/reference/public-names: what each published package exports, by module. A change of these lists is a change of the public API
// and needs a changeset. `--check` only compares.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { publicModules, publishedPackages, root } from "../workspace.js"

const lists = join(root, "docs/reference/public-names")
const check = process.argv.includes("--check")

const isExported = (statement) =>
  statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword) === true

const namesIn = (binding) =>
  ts.isIdentifier(binding)
    ? [binding.text]
    : binding.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : namesIn(element.name)))

/** The exports of one statement as `kind name`. */
const exportsOf = (statement) => {
  if (ts.isExportAssignment(statement)) return ["default"]
  if (ts.isExportDeclaration(statement)) {
    if (statement.exportClause === undefined) return [`* from ${statement.moduleSpecifier.getText()}`]
    if (ts.isNamespaceExport(statement.exportClause)) return [`namespace ${statement.exportClause.name.text}`]
    return statement.exportClause.elements.map((element) => `name ${element.name.text}`)
  }
  if (!isExported(statement)) return []
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations
      .flatMap((declaration) => namesIn(declaration.name))
      .map((name) => `const ${name}`)
  if (ts.isFunctionDeclaration(statement)) return [`function ${statement.name?.text ?? "default"}`]
  if (ts.isClassDeclaration(statement)) return [`class ${statement.name?.text ?? "default"}`]
  if (ts.isInterfaceDeclaration(statement)) return [`interface ${statement.name.text}`]
  if (ts.isTypeAliasDeclaration(statement)) return [`type ${statement.name.text}`]
  return []
}

const moduleList = (folder, module) => {
  const text = readFileSync(join(root, folder, "src", `${module}.ts`), "utf8")
  const source = ts.createSourceFile(module, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)
  const names = [...new Set(source.statements.flatMap(exportsOf))].sort()
  return `${module}\n${names.map((name) => `    ${name}\n`).join("")}`
}

const wanted = new Map(
  publishedPackages()
    .filter(({ manifest }) => manifest.bin === undefined)
    .map(({ folder, manifest }) => {
      const modules = publicModules(folder).map((module) => moduleList(folder, module))
      return [`${manifest.name.replace(/^@fairlead\//, "")}.txt`, `${manifest.name}\n\n${modules.join("\n")}`]
    })
)

const existing = existsSync(lists) ? readdirSync(lists) : []
const stale = [
  ...existing.filter((file) => !wanted.has(file)),
  ...[...wanted].flatMap(([file, text]) =>
    existing.includes(file) && readFileSync(join(lists, file), "utf8") === text ? [] : [file]
  )
]

if (check) {
  for (const file of stale) console.error(`docs/reference/public-names/${file} is stale; run \`pnpm gen\``)
  if (stale.length > 0) process.exitCode = 1
} else {
  mkdirSync(lists, { recursive: true })
  for (const file of stale) {
    const text = wanted.get(file)
    if (text === undefined) rmSync(join(lists, file))
    else writeFileSync(join(lists, file), text)
  }
}
