// What the style guide forbids and biome cannot express. Reads syntax trees, so words in comments and strings do not count.
// A file that a foreign interface forces out of the rules for effects lives in an `internal/` folder.
import { basename } from "node:path"
import ts from "typescript"

const maxLines = 300
const maxFunctionLines = 70

/** Where Effect code lives: the whole list of forbidden words holds here. */
const isEffectCode = (file) =>
  /^packages\/(core|http|adapters\/[^/]+)\/src\//.test(file) && !file.includes("/internal/")
const isModule = (file) => /^(packages|examples)\/.*\/src\//.test(file)
const isSuite = (file) => /^packages\/testing\/src\/contracts\//.test(file)
const isTest = (file) => /\/test\/.*\.test\.ts$/.test(file)

const forbiddenFolders = /\/(utils?|helpers?|common|shared|types|services|layers|misc)\//i
const forbiddenCalls = new Map([
  ["Math.random", "use the Random service, or Ids for identifiers"],
  ["process.env", "use Config"],
  ["Effect.runSync", "return the effect; only a program's entry runs it"]
])
const forbiddenNames = new Map([
  ["Date", "use Clock or DateTime"],
  ["console", "use Effect.log"]
])

const isConstAssertion = (node) => ts.isTypeReferenceNode(node.type) && node.type.typeName.getText() === "const"

/** True where an identifier is a mere name (a property, a key, an import), not a use of the global. */
const isNameOnly = (node) => {
  const parent = node.parent
  if (ts.isPropertyAccessExpression(parent) || ts.isPropertySignature(parent) || ts.isPropertyAssignment(parent))
    return parent.name === node
  if (ts.isQualifiedName(parent)) return parent.right === node
  return (
    ts.isImportSpecifier(parent) ||
    ts.isExportSpecifier(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isPropertyDeclaration(parent)
  )
}

/** The fault of one node of Effect code, if it has one. */
const effectFault = (node) => {
  switch (node.kind) {
    case ts.SyntaxKind.AsyncKeyword:
      return "async: use Effect.gen or Effect.fn"
    case ts.SyntaxKind.AwaitExpression:
      return "await: use yield* inside Effect.gen"
    case ts.SyntaxKind.TryStatement:
      return "try: use Effect.try or Effect.tryPromise"
    case ts.SyntaxKind.ThrowStatement:
      return "throw: fail with a typed error, or Effect.die for a defect"
    case ts.SyntaxKind.AnyKeyword:
      return "any: name the type, or take unknown and decode it"
    case ts.SyntaxKind.AsExpression:
      return isConstAssertion(node) ? undefined : "as: use satisfies, Schema.make or a type guard"
    case ts.SyntaxKind.TypeAssertionExpression:
      return "type assertion: use satisfies, Schema.make or a type guard"
    case ts.SyntaxKind.NonNullExpression:
      return "!: handle the missing value"
  }
  if (ts.isPropertyAccessExpression(node)) {
    const name = `${node.expression.getText()}.${node.name.text}`
    if (forbiddenCalls.has(name)) return `${name}: ${forbiddenCalls.get(name)}`
  }
  if (ts.isIdentifier(node) && forbiddenNames.has(node.text) && !isNameOnly(node))
    return `${node.text}: ${forbiddenNames.get(node.text)}`
  if (
    ts.isPropertyAssignment(node) &&
    node.name.getText() === "concurrency" &&
    /unbounded/.test(node.initializer.getText())
  )
    return 'concurrency: "unbounded": give a number'
  return undefined
}

/** The fault of one node of a test, if it has one. */
const testFault = (node) => {
  if (ts.isIdentifier(node) && node.text === "expect" && !isNameOnly(node))
    return "expect: use assert of @effect/vitest"
  if (
    ts.isPropertyAccessExpression(node) &&
    /^(it|describe|test)(\.|$)/.test(node.expression.getText()) &&
    /^(only|todo)$/.test(node.name.text)
  )
    return `${node.getText()}: a test left behind`
  return undefined
}

/** Every comment of a file, as `[position, text]`, each once. */
const commentsOf = (source, text) => {
  const found = new Map()
  const visit = (node) => {
    for (const range of ts.getLeadingCommentRanges(text, node.pos) ?? [])
      found.set(range.pos, text.slice(range.pos, range.end))
    for (const range of ts.getTrailingCommentRanges(text, node.end) ?? [])
      found.set(range.pos, text.slice(range.pos, range.end))
    for (const child of node.getChildren(source)) if (!ts.isJSDoc(child)) visit(child)
  }
  visit(source)
  return [...found]
}

const commentFault = (comment) => {
  if (/\b(TODO|FIXME|XXX|HACK)\b(?!\s*\(?#\d)/.test(comment)) return "a note of unfinished work without an issue number"
  if (/@ts-(ignore|nocheck)/.test(comment)) return "@ts-ignore: cure the type, or @ts-expect-error with a reason"
  return undefined
}

const isFunction = (node) =>
  ts.isFunctionDeclaration(node) ||
  ts.isFunctionExpression(node) ||
  ts.isArrowFunction(node) ||
  ts.isMethodDeclaration(node)

/** True inside `Layer.effect(...)` and the like: the body of a layer lists the methods of a service, or a group's handlers, and may be long. */
const isLayerBody = (node) => {
  for (let parent = node.parent; parent !== undefined && !isFunction(parent); parent = parent.parent)
    if (ts.isCallExpression(parent) && /^(Layer\.|HttpApiBuilder\.group$)/.test(parent.expression.getText()))
      return true
  return false
}

const lengthFault = (source, node) => {
  if (!isFunction(node) || isLayerBody(node)) return undefined
  const lines =
    source.getLineAndCharacterOfPosition(node.end).line - source.getLineAndCharacterOfPosition(node.getStart()).line + 1
  return lines > maxFunctionLines ? `a function of ${lines} lines; ${maxFunctionLines} is the limit` : undefined
}

/** `[line, message]` of everything wrong with the file as a whole: its length, its name, its first comment. */
const fileFaults = (file, text) => {
  const found = []
  const lines = text.split("\n").length - 1
  if (lines > maxLines) found.push([1, `${lines} lines; split above ${maxLines}`])
  if (forbiddenFolders.test(file)) found.push([1, "this folder name says nothing; use the area's word"])
  if (isModule(file) && !/^(#!.*\n)?(\/\*|\/\/)/.test(text))
    found.push([1, "no comment at the top that says what this module is"])
  if (isModule(file) && !/\/migrations\//.test(file) && /[-_]/.test(basename(file).replace(/\.(test-d|d)\.ts$/, "")))
    found.push([1, "file names are PascalCase, or camelCase when the main export is a function"])
  return found
}

/** Everything wrong with a source file, as `file:line message`, in the order of the lines. */
export const faultsOf = (file, text) => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)
  const found = fileFaults(file, text)
  const report = (position, fault) => {
    if (fault !== undefined) found.push([source.getLineAndCharacterOfPosition(position).line + 1, fault])
  }
  for (const [position, comment] of commentsOf(source, text)) report(position, commentFault(comment))
  const rule = isEffectCode(file) ? effectFault : isTest(file) ? testFault : () => undefined
  const visit = (node) => {
    report(node.getStart(), rule(node))
    if (isModule(file) && !isSuite(file)) report(node.getStart(), lengthFault(source, node))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found.sort(([a], [b]) => a - b).map(([line, message]) => `${file}:${line} ${message}`)
}
