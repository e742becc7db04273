#!/usr/bin/env bash
# openapi.json before linters of others: the recommended rules of redocly and the OpenAPI rules of spectral find no error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-lint.XXXXXX")
trap 'rm -rf "$work"' EXIT
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

echo 'extends: ["spectral:oas"]' >"$work/spectral.yaml"
npx -y @redocly/cli@2.77.0 lint openapi.json --extends recommended --format stylish >"$work/redocly" 2>&1 &
redocly=$!
npx -y @stoplight/spectral-cli@6.16.3 lint openapi.json --ruleset "$work/spectral.yaml" --fail-severity error --display-only-failures \
  >"$work/spectral" 2>&1 || { cat "$work/spectral"; exit 1; }
wait $redocly || { cat "$work/redocly"; exit 1; }
