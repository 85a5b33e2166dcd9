#!/usr/bin/env bash
# Installs the Debian packages of packages.tsv that are missing, as root or
# through sudo. Nothing is done where nothing is missing.
#
#   scripts/packages.sh PURPOSE…     build, run, test, engines, peers
set -euo pipefail

wanted=()
for purpose in "$@"; do
  # What a program on PATH gives already, from wherever, is not asked of Debian.
  while IFS=$'\t' read -r package need; do
    [ "$need" = "$purpose" ] && wanted+=("$package")
  done <"$(dirname "$0")/packages.tsv"
done
missing=()
for package in "${wanted[@]}"; do
  case $package in
    python3|python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    npm|git) command -v "$package" >/dev/null && continue ;;
  esac
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: nothing is missing for: $*"
  exit 0
fi
echo "packages: installing ${missing[*]}"
command -v apt-get >/dev/null || { echo "packages: apt-get is missing; install by hand: ${missing[*]}" >&2; exit 1; }
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "packages: neither root nor sudo; install by hand: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for attempt in 1 2 3; do
  if "${as_root[@]}" apt-get update -qq >"$log" 2>&1 &&
     "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    exit 0
  fi
  sleep $((attempt * 5))
done
tail -n 20 "$log" >&2
echo "packages: could not install ${missing[*]}" >&2
exit 1
