#!/usr/bin/env bash
# The browser tests drive Debian's Chromium: install it where it is missing and we may; else they skip.
set -euo pipefail
command -v chromium >/dev/null && fc-list 2>/dev/null | grep -qi cjk && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Chromium …"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig >/dev/null; } ||
    echo "chromium could not be installed: the browser tests will skip" >&2
else
  echo "chromium is not installed: the browser tests will skip (apt-get install chromium fonts-noto-cjk)" >&2
fi
