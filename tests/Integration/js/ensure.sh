#!/usr/bin/env bash
# Installs the official JavaScript client into artifacts/npm and prints that folder. Does nothing when it is there already; safe when
# several run at once. Needs node 18 or later and npm. Use: NODE_PATH=$(tests/Integration/js/ensure.sh)/node_modules node script.js
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${1:-$here/../../../artifacts/npm}
mkdir -p "$target"
target=$(cd "$target" && pwd)
exec 9>"$target/.lock"
flock 9
if ! cmp -s "$here/package-lock.json" "$target/.installed"; then
  rm -f "$target/.installed"
  cp "$here/package.json" "$here/package-lock.json" "$target/"
  (cd "$target" && npm ci --no-audit --no-fund --ignore-scripts) >&2
  cp "$here/package-lock.json" "$target/.installed"
fi
echo "$target"
