#!/usr/bin/env bash
# The route handler of docs/how-to/embed.md in a real Next.js, with a first administrator: built, started, and asked for status, headers, cookies,
# the document, a login, a script, its events and its result.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-next.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
export NEXT_TELEMETRY_DISABLED=1
node="$root/node_modules/.bin/node"

mkdir -p "app/cp/[...path]"
echo '{ "private": true, "type": "module" }' >package.json
echo 'export default ({ children }) => <html><body>{children}</body></html>' >app/layout.js
echo 'export default () => <p>own</p>' >app/page.js
"$node" - "$root/docs/how-to/embed.md" "$work" <<'EOF'
const { readFileSync, writeFileSync } = require("node:fs")
const [, , document, work] = process.argv
const blocks = [...readFileSync(document, "utf8").matchAll(/^```(?:ts|js)(?: check)?\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
const block = (text) => blocks.find((code) => code.includes(text))
const admin = `Layer.effectDiscard(Effect.flatMap(Users, (users) =>
  users.ensure({ username: "ada", email: "ada@example.com", password: Redacted.make("Correct-Horse-7") }, "admin")))`
const program = block("export const routes")
  .replaceAll("/var/lib/my-service", `${work}/data`)
  .replace("WholeApi.layer.pipe(", `WholeApi.layer.pipe(\n  Layer.provide(${admin}),`)
writeFileSync("fairlead.mjs", `import { Users } from "@fairlead/core/auth/users/Users"\nimport { Effect } from "effect"\n${program}`)
writeFileSync("mount.mjs", block("fairlead.mjs"))
writeFileSync("app/cp/[...path]/route.js", block("mount.mjs"))
EOF
npm install --silent --no-audit --no-fund --save-exact next@16.4.6 react@19.2.0 react-dom@19.2.0
mkdir -p node_modules/@fairlead
for name in core http; do ln -s "$root/packages/$name" "node_modules/@fairlead/$name"; done
for name in crypto postgres process; do ln -s "$root/packages/adapters/$name" "node_modules/@fairlead/$name"; done
ln -s "$(readlink -f "$root/node_modules/effect")" node_modules/effect

"$node" node_modules/next/dist/bin/next build >build.log 2>&1 || { cat build.log; exit 1; }
port=$("$node" -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
"$node" node_modules/next/dist/bin/next start -H 127.0.0.1 -p "$port" >start.log 2>&1 &
server=$!
url=http://127.0.0.1:$port
for _ in $(seq 300); do
  curl -fsS "$url/cp/api/v1/health/ready" >answer 2>/dev/null && break
  kill -0 "$server" 2>/dev/null || { cat start.log; exit 1; }
  sleep 0.1
done
holds() { grep -qiE "$1" answer || { echo "no $1 in:"; cat answer; exit 1; }; }
holds '"ready":true'
curl -sS "$url/" >answer && holds '<p>own</p>'
curl -sSi -d username=nobody -d password=of-this-one "$url/cp/api/v1/auth/login" >answer
holds '^HTTP/1.1 401 '
holds '^content-type: application/problem\+json'
holds '^cache-control: no-store'
holds '^x-request-id: .'
curl -sSi -X POST "$url/cp/api/v1/auth/logout" >answer
holds '^set-cookie: access_token_cp=; .*Path=/cp; .*HttpOnly'
holds '^set-cookie: csrf_token_cp=; .*Path=/cp;'
curl -sS --compressed "$url/cp/openapi.json" >answer
holds '"servers":\[\{"url":"/cp"'

curl -sSi -c jar -d username=ada -d password=Correct-Horse-7 "$url/cp/api/v1/auth/login" >answer
holds '^HTTP/1.1 200 '
holds '^set-cookie: access_token_cp=.*Path=/cp; HttpOnly'
csrf=$(awk '$6 == "csrf_token_cp" { print $7 }' jar)
ask() { curl -sS --compressed -b jar -H "X-CSRF-Token: $csrf" -H 'Content-Type: application/json' "$@" >answer; }
ask -d '{"script":"echo first; sleep 1; echo last","lang":"bash","lang_version":"5"}' "$url/cp/api/v1/executions"
id=$(grep -o '"execution_id":"[^"]*"' answer | head -n 1 | cut -d '"' -f 4)
# The stream ends with the execution.
ask -N --max-time 60 "$url/cp/api/v1/events/executions/$id"
holds '"event_type":"result_stored"'
ask "$url/cp/api/v1/executions/$id/result"
holds '"status":"completed".*"stdout":"first.nlast.n"'
