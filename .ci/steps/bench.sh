#!/usr/bin/env bash
# The benchmarks run and print their figures. The machine is shared, so nothing is asserted about them here.
set -euo pipefail
pnpm() { npx -y pnpm@12.21.0 "$@"; }
FAIRLEAD_BENCH_SECONDS=2 FAIRLEAD_BENCH_ROUNDS=1 pnpm run bench http
pnpm run bench executions --quick
# These need a server.
if [ -n "${FAIRLEAD_TEST_DATABASE_URL:-}" ]; then
  pnpm run bench sagas --quick
  pnpm run bench events --quick
  pnpm run bench growth --quick
fi
