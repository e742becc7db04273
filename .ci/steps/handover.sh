#!/usr/bin/env bash
# Rolling restarts behind a balancer without a failed request, and one user's script beside hundreds of another's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec npx -y pnpm@12.21.0 run prove handover fairness --short
