#!/usr/bin/env bash
# schemathesis, which reads openapi.json only, against a running host: no server error, no answer that the document does not tell, no valid request
# refused, no invalid one accepted. What it takes for right beside that is in .ci/schemathesis/schemathesis.toml.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../host.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-schemathesis.XXXXXX")
trap 'kill "${host:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
export FAIRLEAD_DATA_DIR="$work/data"

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check schemathesis==4.32.5 >"$work/pip.log" 2>&1 || { cat "$work/pip.log"; exit 1; }
start "$work/host.log" >/dev/null
password=$(password_of_admin "$work/host.log")
token=$(curl -fsS -d username=admin --data-urlencode "password=$password" "$url/api/v1/auth/login" | field access_token)
# A key, because one of the calls is the logout.
key=$(curl -fsS -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"name":"schemathesis"}' "$url/api/v1/auth/api-keys" | field key)

# `too_slow` speaks of the machine, not of the document.
cd "$work"
"$work/venv/bin/schemathesis" --config-file "$root/.ci/schemathesis/schemathesis.toml" --no-color run "$root/openapi.json" \
  --url "$url" -H "X-API-Key: $key" --phases examples,coverage,fuzzing --max-examples 20 --workers 2 --exclude-deprecated \
  --generation-deterministic --suppress-health-check too_slow --request-timeout 70 >"$work/found" 2>&1 || { cat "$work/found"; exit 1; }
stop
