#!/usr/bin/env bash
# The numbers of organizations in one run, as one Markdown table: a million of them in
# the records of each database, batches, decisions again, and the simulated year with
# ten thousand.
set -euo pipefail
cd "$(dirname "$0")/.."

rows() { # of a benchmark: name, and each figure with its unit
  awk '/^Benchmark/ {
    name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name); gsub(/_/, " ", name)
    figures = ""
    for (i = 3; i < NF; i += 2) figures = figures (figures == "" ? "" : ", ") $i " " $(i + 1)
    print "| " name " | " figures " |"
  }
  /^(FAIL|panic)/ { failed = 1 }
  END { exit failed }'
}

bench() { # package, benchmarks, time of each
  go test -timeout 60m -run '^$' -bench "$2" -benchtime "$3" "./$1" | rows
}

echo "| what | figures |"
echo "| --- | --- |"
bench storage/records 'Organizations|Reports' 1s
bench pipeline/license NameSearch 1x
bench worker/batch 'Read|Write' 1x
bench worker/redecide . 1x
bench e2e 'Batch$' 1x
began=$SECONDS
HEYAN_SIMULATED_ORGANIZATIONS=10000 go test -timeout 60m -count 1 -run '^TestYear$' ./worker >/dev/null
echo "| a simulated year of 10,000 organizations | $((SECONDS - began)) s |"
echo
go test -timeout 60m -run '^$' -bench Links -benchtime 1x ./pipeline/likeness -licenses 48 | grep ' pairs '
