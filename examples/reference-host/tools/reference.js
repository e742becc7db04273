// Writes the generated pages of docs/reference: configuration from the settings of this host, permissions, problems, events and aliases from
// the contract and openapi.json, which must be fresh. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Permission } from "@fairlead/core/auth/roles/Permission"
import { grantsOf, Role } from "@fairlead/core/auth/roles/Role"
import { aliases } from "@fairlead/http/api/compat/Aliases"
import { settings } from "../src/HostConfig.ts"

const root = new URL("../../../", import.meta.url)
const document = JSON.parse(readFileSync(new URL("openapi.json", root), "utf8"))
const { schemas } = document.components

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ")
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map((text) => cell(text)).join(" | ")} |`).join("\n")
const code = (text) => `\`${text}\``

const slashed = (route) => route.replace(/:(\w+)/g, "{$1}")
const isAlias = new Set(Object.keys(aliases).map(slashed))
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation }))
)
const canonical = operations.filter(({ route }) => !isAlias.has(route))

const configuration = () =>
  [
    "Environment variables of the reference host. It names every one that is not valid and does not start.",
    table(
      ["variable", "default", "meaning"],
      Object.entries(settings).map(([name, setting]) => [code(name), setting.default, setting.about])
    )
  ].join("\n\n")

const permissions = () => {
  const roles = Role.literals
  const grants = Permission.literals.map((permission) => [
    code(permission),
    ...roles.map((role) => grantsOf(role)[permission] ?? "–")
  ])
  const endpoints = canonical
    .map(({ operation, route }) => [code(route), operation["x-permission"] ?? "public", operation.summary])
    .map(([route, permission, summary]) => [route, permission === "public" ? "public" : code(permission), summary])
  return [
    "What each role grants, and how far: `own` rows, or `all`.",
    table(["permission", ...roles.map(code)], grants),
    "## What each endpoint asks for",
    "Second spellings ask for the same as the route that they stand for.",
    table(["endpoint", "permission", ""], endpoints)
  ].join("\n\n")
}

const standardMembers = new Set(["type", "title", "status", "detail", "error", "code", "status_code", "request_id"])
const resolved = (responses) =>
  Object.values(responses).map((answer) => document.components.responses[answer.$ref?.split("/").at(-1)] ?? answer)
const namesIn = (value) =>
  [...JSON.stringify(value).matchAll(/#\/components\/schemas\/(\w+Problem)"/g)].map(([, name]) => name)

const problems = () => {
  const users = new Map()
  for (const { operation, route } of canonical)
    for (const name of namesIn(resolved(operation.responses))) users.set(name, [...(users.get(name) ?? []), route])
  const rows = Object.entries(schemas)
    .filter(([name]) => name.endsWith("Problem"))
    .map(([name, { properties }]) => {
      const routes = users.get(name) ?? []
      return {
        status: properties.status.enum[0],
        cells: [
          `${properties.status.enum[0]}`,
          code(properties.code.enum[0]),
          properties.title.enum[0],
          Object.keys(properties)
            .filter((member) => !standardMembers.has(member))
            .map(code)
            .join(", ") || "–",
          routes.length > 5 ? `${routes.length} endpoints` : routes.map(code).join(", ") || "any request"
        ]
      }
    })
    .sort((a, b) => a.status - b.status || (a.cells[1] < b.cells[1] ? -1 : 1))
  return [
    "Errors are `application/problem+json` (RFC 9457). `code` is stable; so is `type`, which is the same as a URN " +
      "(`urn:fairlead:problem:execution-not-found`). `title` and `detail` are for people and may change. `error` repeats `detail`, `status_code` " +
      "repeats `status`, and `request_id` is the `X-Request-Id` of the answer.",
    table(
      ["status", "`code`", "title", "more members", "answered by"],
      rows.map(({ cells }) => cells)
    )
  ].join("\n\n")
}

const typeOf = (schema) => {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ")
  if (schema.enum !== undefined) return schema.enum.map((value) => code(`${value}`)).join(", ")
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`
  if (schema.type === "object") return `{ ${Object.keys(schema.properties ?? {}).join(", ")} }`
  return schema.format === "uuid" ? "UUID" : schema.type
}

const events = () => {
  const families = Map.groupBy(
    Object.entries(schemas)
      .filter(([name, { properties }]) => name.endsWith("Event") && properties?.event_type !== undefined)
      .map(([, { properties }]) => properties)
      .sort((a, b) => (a.event_type.enum[0] < b.event_type.enum[0] ? -1 : 1)),
    ({ event_type }) => event_type.enum[0].split("_", 1)[0]
  )
  return [
    "As they are on the wire. Every event also has `event_id`, `event_type`, `event_version`, `timestamp`, `aggregate_id`, `correlation_id` " +
      "and `metadata`. The members below stand in the event itself and once more under `payload`; those with a `?` may be absent.",
    ...[...families].map(([family, members]) =>
      [
        `## ${family}`,
        table(
          ["`event_type`", "members"],
          members.map(({ event_type, payload }) => [
            code(event_type.enum[0]),
            Object.entries(payload.properties)
              .map(([name, schema]) => `\`${name}\`${payload.required?.includes(name) ? "" : "?"} ${typeOf(schema)}`)
              .join("; ")
          ])
        )
      ].join("\n\n")
    )
  ].join("\n\n")
}

const secondSpellings = () =>
  [
    "Second spellings of routes. Each is rewritten to the canonical route before routing, so it has the same parameters, bodies, answers and " +
      "permission. A first segment that is a parameter matches UUIDs only.",
    table(
      ["alias", "canonical route"],
      Object.entries(aliases).map(([from, to]) => [code(slashed(from)), code(slashed(to))])
    )
  ].join("\n\n")

const pages = {
  configuration: ["Configuration", configuration],
  permissions: ["Permissions and roles", permissions],
  problems: ["Problems", problems],
  events: ["Events", events],
  aliases: ["Aliases", secondSpellings]
}

for (const [name, [title, body]] of Object.entries(pages)) {
  const file = fileURLToPath(new URL(`docs/reference/${name}.md`, root))
  const text = `<!-- Generated by examples/reference-host/tools/reference.js; run \`pnpm gen\`. -->\n\n# ${title}\n\n${body()}\n`
  if (!process.argv.includes("--check")) writeFileSync(file, text)
  else if (readOr(file) !== text) {
    console.error(`docs/reference/${name}.md is stale; run: pnpm gen`)
    process.exitCode = 1
  }
}

function readOr(file) {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}
