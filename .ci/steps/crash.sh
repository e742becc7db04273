#!/usr/bin/env bash
# Every failpoint once, on PGlite and on PostgreSQL: the host is killed there, started again, and everything must end as it should.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec npx -y pnpm@12.21.0 run prove crash --short
