#!/bin/sh
# The main job on real TLS traffic: a BEAM node with ssl_port against real peers on loopback.
# `make demo` builds what this needs first. Ends with `N passed, N failed, N skipped`.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/demo
erlc -o build/demo demo/ssl_port_demo.erl
exec erl -noshell -pa _build/default/lib/ssl_port/ebin build/demo \
  -kernel logger_level error -run ssl_port_demo main
