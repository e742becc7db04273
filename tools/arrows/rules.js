// Which package may import which, as rules for dependency-cruiser. Everything that is not allowed here is forbidden:
//   core → effect · adapters → core · http/api → models of core · http/server → core, http/api · testing → core, http/api
//   client → nothing of ours (client/effect → http/api, models of core) · examples, bench → anything
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { filesBelow, root } from "../workspace.js"

const ours = "^packages/"
const areaOf = "^packages/core/src/(auth/[^/]+|[^/]+)/"
const pure = "^node:"

/** The services and ports of core: the modules whose class carries a layer. */
const services = filesBelow(join(root, "packages/core/src"))
  .filter((file) => /^ {2}static readonly layer/m.test(readFileSync(join(root, "packages/core/src", file), "utf8")))
  .map((file) => `^packages/core/src/${file.replaceAll(".", "\\.")}$`)

const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to })

export default {
  forbidden: [
    forbid(
      "no-cycles",
      "Modules must be readable one after the other.",
      { pathNot: "/generated/" },
      { circular: true }
    ),
    // Node has modules that exist only with their prefix, such as node:sqlite, which the tool does not know.
    forbid("resolves", "Every import must resolve.", {}, { couldNotResolve: true, pathNot: "^node:" }),
    forbid("no-test-in-src", "Sources never import tests.", { path: "^packages/.*/src/" }, { path: "/test/" }),
    forbid(
      "core-imports-effect-only",
      "core performs no I/O and knows no other package.",
      { path: "^packages/core/src/" },
      { pathNot: ["^packages/core/src/", "node_modules/effect/"] }
    ),
    {
      name: "core-areas-in-layers",
      comment: "Areas of core stand one above the other; ARCHITECTURE.md draws the order.",
      severity: "error",
      scope: "folder",
      from: { path: "^packages/core/src/[^/]+$" },
      to: { circular: true }
    },
    forbid(
      "core-areas-keep-their-stores",
      "An area uses another area's ids, models, errors, events and service, never its store.",
      { path: areaOf, pathNot: "^packages/core/src/(storage|testing)/" },
      { path: "^packages/core/src/(auth/[^/]+|[^/]+)/[A-Za-z]*Store\\.ts$", pathNot: ["^packages/core/src/$1/"] }
    ),
    forbid(
      "adapters-import-core-only",
      "An adapter knows core and its technology, never http, the client or the test kit.",
      { path: "^packages/adapters/[^/]+/src/" },
      { path: "^(packages/(http|client|testing)|examples|bench|tools)/" }
    ),
    forbid(
      "adapters-know-no-other",
      "No adapter knows another.",
      { path: "^packages/adapters/([^/]+)/" },
      { path: "^packages/adapters/", pathNot: "^packages/adapters/$1/" }
    ),
    forbid(
      "contract-is-browser-safe",
      "http/api is the contract: no server, no service of core, no Node.",
      { path: "^packages/http/src/api/" },
      { path: ["^packages/http/src/(?!api/)", pure, "node_modules/@effect/platform-node"] }
    ),
    forbid(
      "contract-imports-no-service",
      "http/api uses models, ids, errors and events of core.",
      { path: "^packages/http/src/api/" },
      { path: services }
    ),
    forbid(
      "http-imports-core-only",
      "http knows the ports of core, never an adapter.",
      { path: "^packages/http/src/" },
      { path: "^(packages/(adapters|client|testing)|examples|bench|tools)/" }
    ),
    forbid(
      "client-imports-nothing-of-ours",
      "The client works without Effect and without the server's code.",
      { path: "^packages/client/src/", pathNot: "^packages/client/src/effect/" },
      { path: [`${ours}(?!client/)`, "node_modules/(effect|@effect)/", pure] }
    ),
    forbid(
      "client-effect-imports-the-contract",
      "client/effect derives from the contract.",
      { path: "^packages/client/src/effect/" },
      { path: "^packages/(adapters|testing|http/src/(?!api/))" }
    ),
    forbid(
      "testing-imports-core-and-contract",
      "The test kit knows the ports, never an implementation.",
      { path: "^packages/testing/src/" },
      { path: "^(packages/(adapters|client|http/src/(?!api/))|examples|bench|tools)/" }
    ),
    forbid(
      "packages-import-no-example",
      "Examples and benchmarks are leaves.",
      { path: ours },
      { path: "^(examples|bench)/" }
    )
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|\\.cache)/" },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      extensions: [".ts", ".js", ".json", ".d.ts"],
      mainFields: ["main", "types"]
    }
  }
}
