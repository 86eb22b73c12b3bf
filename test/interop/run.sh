#!/bin/sh
# The interop matrix: ssl_port in both roles against every peer x version x certificate kind.
# Writes the table into docs/interop.md; ends with `N passed, N failed, N skipped`.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/interop
go build -o build/interop/go_peer test/interop/peers/peer.go
javac -d build/interop test/interop/peers/Peer.java
erlc -o build/interop test/interop/ssl_port_interop.erl
exec erl -noshell -pa _build/default/lib/ssl_port/ebin build/interop \
  -kernel logger_level error -run ssl_port_interop main "$@"
