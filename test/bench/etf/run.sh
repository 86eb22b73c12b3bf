#!/bin/sh
# Installs what the codec is measured against (once), builds, and measures.
set -eu
cd "$(dirname "$0")/../../.."
here=test/bench/etf

if [ ! "$here/node_modules/.package-lock.json" -nt "$here/package-lock.json" ]; then
  # erlpack is native code: without a compiler it cannot be built, and the table says so.
  npm ci --prefix "$here" --foreground-scripts >"${TMPDIR:-/tmp}/bench-etf-install.log" 2>&1 ||
    npm ci --prefix "$here" --ignore-scripts
fi
npx tsc -p test/tsconfig.json
exec node build/test/bench/etf/bench.js "$@"
