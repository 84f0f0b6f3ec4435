#!/usr/bin/env bash
# All slow tests. Those in a browser mostly wait, so the others run beside them, out of their way.
set -uo pipefail
cd "$(dirname "$0")/.."
told=$(mktemp)
nice -n 15 .venv/bin/pytest -q -n 2 --dist loadfile -m slow --ignore=tests/end_to_end >"$told" 2>&1 &
others=$!
trap 'kill "$others" 2>/dev/null; rm -f "$told"' EXIT
.venv/bin/pytest -q -m slow tests/end_to_end
browser=$?
wait "$others"
beside=$?
cat "$told"
exit $((browser | beside))
