#!/usr/bin/env bash
# What a newcomer does: `npm start` in a fresh copy, log in as printed, run a script, stop, start again. Prints how long each start took.
set -euo pipefail
copy=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-first-start.XXXXXX")
trap 'kill "${host:-}" 2>/dev/null || true; rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
cd "$copy"

# start LOG: starts the host and waits until it listens; sets url.
start() {
  local from log=$1
  from=$(date +%s%N)
  FAIRLEAD_PORT=0 npm start >"$log" 2>&1 &
  host=$!
  for _ in $(seq 900); do
    grep -q 'listens on' "$log" && break
    kill -0 "$host" 2>/dev/null || { cat "$log"; exit 1; }
    sleep 0.1
  done
  url=$(grep -o 'http://[0-9.:]*' "$log" | head -n 1)
  [ -n "$url" ] || { cat "$log"; exit 1; }
  echo "listened after $((($(date +%s%N) - from) / 1000000)) ms"
}
stop() {
  kill -TERM "$host"
  wait "$host" || { echo "ended with $?"; exit 1; }
}
field() { node -e 'let text = ""; process.stdin.on("data", (d) => (text += d)).on("end", () => console.log(JSON.parse(text)[process.argv[1]]))' "$1"; }

start "$copy/first.log"
password=$(sed -n 's/.*with the password \([^ ]*\) .*/\1/p' "$copy/first.log")
csrf=$(curl -fsS -c jar -d "username=admin&password=$password" "$url/api/v1/auth/login" | field csrf_token)
id=$(curl -fsS -b jar -H "X-CSRF-Token: $csrf" -H 'Content-Type: application/json' \
  -d '{"script":"print(6 * 7)","lang":"python","lang_version":"3"}' "$url/api/v1/execute" | field execution_id)
curl -fsSN -b jar "$url/api/v1/events/executions/$id" | grep -q '"event_type":"result_stored"'
[ "$(curl -fsS -b jar "$url/api/v1/result/$id" | field stdout)" = 42 ]
stop
start "$copy/second.log"
[ "$(curl -fsS -b jar "$url/api/v1/result/$id" | field status)" = completed ]
stop
