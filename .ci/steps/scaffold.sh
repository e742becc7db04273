#!/usr/bin/env bash
# What `pnpm new:area` and `pnpm new:adapter` write must compile, follow the style, and pass its own tests: tried in a copy of the tree.
set -euo pipefail
copy=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-scaffold.XXXXXX")
trap 'rm -rf "$copy"' EXIT
tar -c --exclude=node_modules --exclude=dist --exclude=.cache --exclude=.git . | tar -x -C "$copy"
cd "$copy"
node tools/setup.js
pnpm() { npx -y pnpm@12.21.0 "$@"; }
pnpm run new:area rate-limits
pnpm run new:adapter nats
pnpm run check format lint types effect arrows style lockfile
node_modules/.bin/node node_modules/vitest/vitest.mjs run rate-limits nats
