#!/usr/bin/env bash
# The numbers of the reviewer console in one run of a minute, as one Markdown table.
set -euo pipefail
cd "$(dirname "$0")/.."
go test -timeout 20m -run '^$' -bench Console -benchtime 1x ./e2e | grep -v -e '^goos' -e '^goarch' -e '^pkg' -e '^cpu' -e '^Benchmark' -e '^PASS' -e '^ok' || {
  echo "bench-console: it did not come to its end" >&2
  exit 1
}
