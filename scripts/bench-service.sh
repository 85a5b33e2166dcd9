#!/usr/bin/env bash
# The numbers of the service in one run of some twelve minutes, as one Markdown
# table. It measures times: let nothing else run beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "bench-service: $*" >&2; exit 1; }

busy=$(awk '{ print int($1 * 100 / '"$(nproc)"') }' /proc/loadavg)
[ "$busy" -lt 50 ] || echo "bench-service: the machine is busy (load ${busy} % of its cores): the times will not be its own" >&2
go test -timeout 40m -run '^$' -bench Service -benchtime 1x ./e2e | grep -v -e '^goos' -e '^goarch' -e '^pkg' -e '^cpu' -e '^Benchmark' -e '^PASS' -e '^ok' ||
  fail "it did not come to its end"
