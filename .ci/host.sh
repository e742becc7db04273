# For scripts that need a running host: `source` it. `start LOG` starts one with `npm start` on a free port and sets `url`; `stop` ends
# it as a service manager does; `field NAME` prints one field of the JSON on standard input.

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
# password_of_admin LOG: what the first start printed.
password_of_admin() { sed -n 's/.*with the password \([^ ]*\) .*/\1/p' "$1"; }
field() { node -e 'let text = ""; process.stdin.on("data", (d) => (text += d)).on("end", () => console.log(JSON.parse(text)[process.argv[1]]))' "$1"; }
