// Tests of all packages. `*.live.test.ts` need a server named by an environment variable (PostgreSQL: FAIRLEAD_TEST_DATABASE_URL); without it
// they report themselves as skipped. `*.test-d.ts` are checked by tsc, not here.
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/**/test/**/*.test.ts", "examples/**/test/**/*.test.ts", "tools/**/test/**/*.test.js"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    // One more than the cores of a small machine: a good part of a test is waiting for processes and servers.
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ["default"],
    silent: "passed-only",
    passWithNoTests: false
  }
})
