#!/usr/bin/env bash
# The curl lines that clients of this API were written after, against a real host, character by character: only the address, the ids and the
# password are others, because the host has one of its own, and a password needs 8 characters.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../host.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-curl.XXXXXX")
trap 'kill "${host:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
export FAIRLEAD_DATA_DIR="$work/data"

start "$work/host.log"
admin=$(password_of_admin "$work/host.log")
cd "$work"
password=s3cr3t-and-more checked=0

# The line as it stands. Keeps status and body of the answer.
curl() {
  local words=("${@//https:\/\/localhost:443/$url}")
  words=("${words[@]//http:\/\/localhost:819/$url}")
  words=("${words[@]//s3cr3t/$password}")
  line="curl $*"
  status=$(command curl -sS --max-time 15 -o answer -w '%{http_code}' "${words[@]}")
}
# answers STATUS [CONDITION]: about the line before; the condition is JavaScript over `answer`, the JSON of the body.
answers() {
  if [ "$status" = "$1" ] && node -e '
    const text = require("node:fs").readFileSync("answer", "utf8")
    const holds = new Function("answer", "text", `return (${process.argv[1]})`)
    process.exit(holds(/^[[{]/.test(text) ? JSON.parse(text) : undefined, text) ? 0 : 1)' "${2:-true}"; then
    checked=$((checked + 1))
    return
  fi
  printf '%s\nanswered %s:\n%s\nexpected %s: %s\n' "$line" "$status" "$(cat answer)" "$1" "${2:-}"
  exit 1
}
csrf_of() { awk '$6 == "csrf_token" { print $7 }' "$1"; }

# Authentication
password=s3cr3t
curl -k -X POST https://localhost:443/api/v1/auth/register -H 'Content-Type: application/json' -d '{"username":"alice","email":"a@example.com","password":"s3cr3t"}'
answers 422 'answer.code === "PASSWORD_TOO_WEAK" && answer.minimum_length === 8'
password=s3cr3t-and-more
curl -k -X POST https://localhost:443/api/v1/auth/register -H 'Content-Type: application/json' -d '{"username":"alice","email":"a@example.com","password":"s3cr3t"}'
answers 201 'answer.username === "alice" && answer.email === "a@example.com" && answer.role === "user" && answer.is_active && answer.user_id && answer.created_at'
curl -k -X POST https://localhost:443/api/v1/auth/login -H 'Content-Type: application/x-www-form-urlencoded' -d 'username=alice&password=s3cr3t' -c cookies.txt
answers 200 'answer.message === "Login successful" && answer.username === "alice" && answer.role === "user" && answer.csrf_token'
grep -q '^#HttpOnly_.*access_token' cookies.txt
CSRF=$(csrf_of cookies.txt)
[ "$CSRF" = "$(field csrf_token <answer)" ]
curl -k https://localhost:443/api/v1/auth/me -b cookies.txt
answers 200 'answer.username === "alice" && answer.email === "a@example.com" && answer.is_superuser === false'
curl -k https://localhost:443/api/v1/auth/verify-token -b cookies.txt
answers 200 "answer.valid === true && answer.username === 'alice' && answer.role === 'user' && answer.csrf_token === '$CSRF'"

# Executions and results
curl -k -X POST https://localhost:443/api/v1/execute -H 'Content-Type: application/json' -b cookies.txt -d '{"script":"print(1)","lang":"python","lang_version":"3.11"}'
answers 403 'answer.code === "CSRF_REJECTED"'
curl -k -X POST https://localhost:443/api/v1/execute -H 'Content-Type: application/json' -H "X-CSRF-Token: $CSRF" -b cookies.txt -d '{"script":"print(1)","lang":"python","lang_version":"3.11"}'
answers 200 'answer.execution_id && answer.status === "queued"'
id=$(field execution_id <answer)
curl -k -N "https://localhost:443/api/v1/events/executions/$id" -b cookies.txt
answers 200 'text.includes(`"event_type":"result_stored"`)'
curl -k "https://localhost:443/api/v1/result/$id" -b cookies.txt
answers 200 'answer.status === "completed" && answer.output === "1\n" && answer.errors === "" && answer.exit_code === 0 && "resource_usage" in answer'
curl -k "https://localhost:443/api/v1/executions/$id/events?event_types=execution_failed&limit=50" -b cookies.txt
answers 200 'answer.length === 0'
curl -k "https://localhost:443/api/v1/executions/$id/events?event_types=execution_completed&limit=50" -b cookies.txt
answers 200 'answer.length === 1 && answer[0].event_type === "execution_completed"'
curl -k -X POST "https://localhost:443/api/v1/$id/retry" -H "X-CSRF-Token: $CSRF" -b cookies.txt -d '{}'
answers 200 "answer.execution_id !== '$id' && answer.status === 'queued'"
curl -k -X POST https://localhost:443/api/v1/execute -H 'Content-Type: application/json' -H "X-CSRF-Token: $CSRF" -b cookies.txt -d '{"script":"import time; time.sleep(60)","lang":"python","lang_version":"3.11"}'
answers 200
long=$(field execution_id <answer)
curl -k -X POST "https://localhost:443/api/v1/$long/cancel" -H 'Content-Type: application/json' -H "X-CSRF-Token: $CSRF" -b cookies.txt -d '{"reason":"user"}'
answers 200 "answer.execution_id === '$long' && answer.status === 'cancellation_requested' && answer.message && 'event_id' in answer"
curl -k "https://localhost:443/api/v1/result/$long?wait_seconds=10" -b cookies.txt
answers 200 'answer.status === "cancelled"'
curl -k "https://localhost:443/api/v1/user/executions?status=completed&lang=python&limit=10&skip=0" -b cookies.txt
answers 200 "answer.executions.some((one) => one.execution_id === '$id') && answer.total >= 1 && answer.limit === 10 && answer.skip === 0"
# What lies beside the cookies, and they themselves, is closed to scripts.
curl -k -X POST https://localhost:443/api/v1/execute -H 'Content-Type: application/json' -H "X-CSRF-Token: $CSRF" -b cookies.txt -d "{\"script\":\"cat '$work/cookies.txt' '$work/data/keys/jwt-secret'\",\"lang\":\"bash\",\"lang_version\":\"5\"}"
answers 200
curl -k "https://localhost:443/api/v1/result/$(field execution_id <answer)?wait_seconds=10" -b cookies.txt
answers 200 'answer.exit_code === 1 && answer.stdout === ""'
curl -k https://localhost:443/api/v1/example-scripts -b cookies.txt
answers 200 'answer.scripts.python'
curl -k https://localhost:443/api/v1/k8s-limits -b cookies.txt
answers 200 'answer.execution_timeout && answer.supported_runtimes.python.versions.length > 0'

# Users delete their own, administrators everybody's.
curl -k -X DELETE "https://localhost:443/api/v1/$id" -H "X-CSRF-Token: $CSRF" -b cookies.txt
answers 200 "answer.execution_id === '$id' && answer.message"
curl -k "https://localhost:443/api/v1/result/$id" -b cookies.txt
answers 404
curl -k -X POST https://localhost:443/api/v1/execute -H 'Content-Type: application/json' -H "X-CSRF-Token: $CSRF" -b cookies.txt -d '{"script":"print(1)"}'
answers 200 'answer.execution_id'
id=$(field execution_id <answer)
curl -k -X POST https://localhost:443/api/v1/auth/login -H 'Content-Type: application/x-www-form-urlencoded' -d "username=admin&password=$admin" -c admin.txt
answers 200 'answer.role === "admin"'
curl -k -X DELETE "https://localhost:443/api/v1/$id" -H "X-CSRF-Token: $(csrf_of admin.txt)" -b admin.txt
answers 200 "answer.execution_id === '$id' && answer.message"

# Leaving
cp cookies.txt kept.txt
curl -k -X POST https://localhost:443/api/v1/auth/logout -b cookies.txt -c cookies.txt
answers 200 'answer.message'
[ -z "$(csrf_of cookies.txt)" ]
curl -k https://localhost:443/api/v1/auth/me -b kept.txt
answers 401

# The same path takes JSON and answers with bearer tokens.
curl -s -X POST http://localhost:819/api/v1/auth/login -H "Content-Type: application/json" -d "{\"username\":\"admin\",\"password\":\"$admin\"}"
answers 200 'answer.token_type === "Bearer" && answer.expires_in === 3600 && answer.access_token && answer.refresh_token'
TOKEN=$(field access_token <answer)
refresh=$(field refresh_token <answer)
curl http://localhost:819/api/v1/auth/me -H "Authorization: Bearer $TOKEN"
answers 200 'answer.username === "admin" && answer.role === "admin" && answer.id'
curl -X POST http://localhost:819/api/v1/auth/refresh -H 'Content-Type: application/json' -d "{\"refresh_token\":\"$refresh\"}"
answers 200 "answer.access_token && answer.refresh_token && answer.refresh_token !== '$refresh'"

cd "$root"
stop
echo "$checked answers are as documented"
