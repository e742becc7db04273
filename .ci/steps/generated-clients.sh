#!/usr/bin/env bash
# Clients that others make of openapi.json log in, run a script and read its result: openapi-python-client, and openapi-generator for Java.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../host.sh"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/fairlead-clients.XXXXXX")
trap 'kill "${host:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
export FAIRLEAD_DATA_DIR="$work/data"
# quiet COMMAND...: shows what it said only if it fails.
quiet() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

start "$work/host.log" >/dev/null
password=$(password_of_admin "$work/host.log")

quiet python3 -m venv "$work/venv"
# From 0.28.0 to 0.29.1 it leaves out an import where a call takes two types of body, as the login does.
quiet "$work/venv/bin/pip" install -q --disable-pip-version-check openapi-python-client==0.27.1
quiet "$work/venv/bin/openapi-python-client" generate --path openapi.json --output-path "$work/generated" --meta none
PYTHONPATH="$work" "$work/venv/bin/python" .ci/generated-clients/client.py "$url" admin "$password"

quiet mvn -q --batch-mode dependency:copy -Dartifact=org.openapitools:openapi-generator-cli:7.16.0 "-DoutputDirectory=$work"
quiet java -jar "$work/openapi-generator-cli-7.16.0.jar" generate -g java --library native -i openapi.json -o "$work/java" \
  --additional-properties=apiPackage=fairlead.api,modelPackage=fairlead.model,invokerPackage=fairlead \
  --global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false
cp .ci/generated-clients/Main.java "$work/java/src/main/java/"
cd "$work/java"
quiet mvn -q --batch-mode -DskipTests -DincludeScope=runtime compile dependency:copy-dependencies
java -cp "target/classes:target/dependency/*" Main "$url" admin "$password"
cd "$root"
stop
