#!/usr/bin/env bash
# Heyan, Tesseract's command line, RapidOCR and @gutenye/ocr-node on the same
# pictures in one run: exact rates, CPU and wall seconds a picture, peak memory,
# as one Markdown table. The peers are installed outside the repository, at the
# versions of peers/requirements.txt and peers/package.json.
#
#   scripts/bench-peers.sh TRUTH.tsv [EVERY]     EVERY: 1 all rows, 3 every third (default)
set -euo pipefail

truth=$(realpath "$1")
every=${2:-3}
peers=$(dirname "$0")/peers
export PYTHONDONTWRITEBYTECODE=1
folder=${XDG_CACHE_HOME:-$HOME/.cache}/heyan/peers

fail() { echo "bench-peers: $*" >&2; exit 1; }

[[ $every =~ ^[1-9][0-9]*$ ]] || fail "EVERY must be a whole number from 1, not $every"
for program in python3 npm node tesseract bin/heyan; do
  command -v "$program" >/dev/null || fail "$program is missing"
done
python3 -m pip --version >/dev/null 2>&1 || fail "pip of python3 is missing (Debian package python3-pip)"
languages=$(tesseract --list-langs)
for language in chi_sim eng; do
  grep -qx "$language" <<<"$languages" || fail "Tesseract's language $language is missing (Debian package tesseract-ocr-${language/_/-})"
done

# A list is copied beside what it installed, last: an equal copy means complete.
if ! cmp -s "$peers/requirements.txt" "$folder/python/requirements.txt"; then
  echo "bench-peers: installing RapidOCR" >&2
  rm -rf "$folder/python"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps \
    --only-binary :all: --target "$folder/python" -r "$peers/requirements.txt" >&2 || fail "RapidOCR could not be installed"
  cp "$peers/requirements.txt" "$folder/python/"
fi
if ! cmp -s "$peers/package.json" "$folder/node/installed.json"; then
  echo "bench-peers: installing @gutenye/ocr-node" >&2
  rm -rf "$folder/node"
  mkdir -p "$folder/node"
  cp "$peers/package.json" "$folder/node/"
  # No scripts: onnxruntime-node's would fetch CUDA libraries, for nothing.
  npm install --prefix "$folder/node" --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null ||
    fail "@gutenye/ocr-node could not be installed"
  cp "$peers/package.json" "$folder/node/installed.json"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -F '\t' -v every="$every" -v folder="$(dirname "$truth")" '
  NR == 1 { for (i = 1; i <= NF; i++) if ($i == "file") column = i; next }
  (NR - 2) % every == 0 { print folder "/" $column }' "$truth" >"$work/files"
[ -s "$work/files" ] || fail "$truth names no pictures"

# measure ENGINE COMMAND…
measure() {
  local engine=$1
  shift
  echo "bench-peers: $engine reads $(wc -l <"$work/files") pictures" >&2
  "$@" <"$work/files" >"$work/$engine.jsonl" 2>"$work/$engine.log" || { tail -n 20 "$work/$engine.log" >&2; fail "$engine failed"; }
}
measure heyan python3 "$peers/heyan.py" bin/heyan
measure tesseract python3 "$peers/tesseract.py"
measure rapidocr env PYTHONPATH="$folder/python" python3 "$peers/rapid.py"
measure gutenye node "$peers/guten.mjs" "$folder/node"
python3 "$peers/table.py" "$truth" "$work"/{heyan,tesseract,rapidocr,gutenye}.jsonl
