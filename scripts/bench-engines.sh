#!/usr/bin/env bash
# The model sets against each other on one truth table: exact rates and CPU
# seconds a picture, as one Markdown table.
#
#   scripts/bench-engines.sh TRUTH.tsv
set -euo pipefail

truth=$1
echo "| first reading | second reading | code | registration number | name | CPU s, median |"
echo "| --- | --- | --- | --- | --- | --- |"
while read -r fast accurate; do
  table=$(bin/heyan --quiet eval --fast-set="$fast" --model-set="$accurate" "$truth" 2>/dev/null)
  rate() { awk -v name="$1" '$1 == name { print $2; exit }' <<<"$table"; }
  second=$accurate
  [ "$fast" = "$accurate" ] && second=none
  echo "| $fast | $second | $(rate uscc) | $(rate registration_number) | $(rate name) | $(rate CPU) |"
done <<'SETS'
v4-mobile v4-mobile
v5-mobile v5-mobile
v6-tiny v6-tiny
v6-small v6-small
v6-small-full v6-small-full
v6-tiny v5-mobile
v6-tiny v6-small
SETS
