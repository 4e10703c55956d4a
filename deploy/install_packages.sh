#!/usr/bin/env bash
# Installs the Debian packages of deploy/packages.txt that are missing. Where it may not, it prints the one line that
# does and exits with 3. Other lists may be named as arguments.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

lists=("$here/packages.txt" "$@")
missing=()
while read -r package; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done < <(sed 's/#.*//; /^\s*$/d' "${lists[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0

line="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
  run=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  run=(sudo)
else
  echo "These packages are missing and this user may not install them. Run:" >&2
  echo "  sudo apt-get update && sudo $line" >&2
  exit 3
fi
echo "installing ${#missing[@]} Debian packages"
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -qq
# shellcheck disable=SC2086 # the list is words
"${run[@]}" $line -qq >/dev/null
