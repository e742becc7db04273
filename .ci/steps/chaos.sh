#!/usr/bin/env bash
# Ten random kills, and a minute of kills, freezes, rolling restarts and restarts of the database on three hosts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec npx -y pnpm@12.21.0 run prove kills-pglite kills-postgresql chaos --short
