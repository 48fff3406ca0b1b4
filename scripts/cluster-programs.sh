#!/usr/bin/env bash
# Builds what `npm run test:cluster` runs in the place of containers into .tools/cluster, and nothing on a second start: the
# Temporal server and its schema tool, in the version that docker-compose.yml names, and Compose's own reader. Needs Go;
# takes nine minutes on 2 cores.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v$(sed -n 's/^ *image: temporalio\/server:\(.*\)$/\1/p' docker-compose.yml)
compose=v2.16.2
place=.tools/cluster
stamp="$version $compose"
if [ "$(cat "$place/versions" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

if ! command -v go >/dev/null; then
  echo "Expected Go on PATH, to build Temporal's server $version: https://go.dev/dl, or Debian's golang. Got none." >&2
  exit 1
fi
echo "Set-up: building Temporal's server $version (once, some minutes)…"
rm -rf "$place"
mkdir -p "$place"
export GOBIN=$PWD/$place GOFLAGS=-buildvcs=false
go install "go.temporal.io/server/cmd/server@$version"
go install "go.temporal.io/server/cmd/tools/sql@$version"
go install "github.com/compose-spec/compose-go/v2/cmd@$compose"
mv "$place/server" "$place/temporal-server"
mv "$place/sql" "$place/temporal-sql-tool"
mv "$place/cmd" "$place/compose-config"
module=$(go mod download -json "go.temporal.io/server@$version" | sed -n 's/^\t*"Dir": "\(.*\)",*$/\1/p')
cp -r "$module/schema/postgresql/v12" "$place/schema"
chmod -R u+w "$place/schema"
echo "$stamp" >"$place/versions"
