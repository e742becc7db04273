#!/usr/bin/env bash
# What a newcomer does: `npm start` in a fresh copy, log in as printed, run a script, stop, start again. Prints how long each start took.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../host.sh"
copy=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-first-start.XXXXXX")
trap 'kill "${host:-}" 2>/dev/null || true; rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
cd "$copy"

start "$copy/first.log"
password=$(password_of_admin "$copy/first.log")
csrf=$(curl -fsS -c jar -d "username=admin&password=$password" "$url/api/v1/auth/login" | field csrf_token)
id=$(curl -fsS -b jar -H "X-CSRF-Token: $csrf" -H 'Content-Type: application/json' \
  -d '{"script":"print(6 * 7)","lang":"python","lang_version":"3"}' "$url/api/v1/execute" | field execution_id)
curl -fsSN -b jar "$url/api/v1/events/executions/$id" | grep -q '"event_type":"result_stored"'
[ "$(curl -fsS -b jar "$url/api/v1/result/$id" | field stdout)" = 42 ]
stop
start "$copy/second.log"
[ "$(curl -fsS -b jar "$url/api/v1/result/$id" | field status)" = completed ]
stop
