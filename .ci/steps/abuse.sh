#!/usr/bin/env bash
# One account asks for too much in every way that we know, for 5 s each: the host lives, stays small, and answers another user.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec npx -y pnpm@12.21.0 run prove abuse --short
