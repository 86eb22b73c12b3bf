#!/bin/sh
# Puts the port program where the OTP application looks for it: priv/dist and, beside it, the
# packages that it needs at run time. priv/ stands alone: it can be copied into a release.
set -eu
cd "$(dirname "$0")/.."
rm -rf priv
mkdir -p priv/node_modules
cp -R dist priv/dist
cp package.json priv/package.json
npm ls --omit=dev --all --parseable 2>/dev/null | sed 1d | while read -r path; do
  name=${path#*/node_modules/}
  case "$name" in *node_modules*) continue ;; esac
  mkdir -p "priv/node_modules/$(dirname "$name")"
  cp -R "$path" "priv/node_modules/$name"
done
