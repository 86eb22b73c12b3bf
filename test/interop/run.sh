#!/bin/sh
# The interop matrix: ssl_port in both roles against every peer x version x certificate kind.
# usage: sh test/interop/run.sh [openssl|gnutls|otp|go|java ...]    all peers when none is named
# All of them: writes the table into docs/interop.md. Ends with `N passed, N failed, N skipped`.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/interop
peers=${*:-go java}
case " $peers " in *" go "*) go build -o build/interop/go_peer test/interop/peers/peer.go ;; esac
case " $peers " in *" java "*) javac -d build/interop test/interop/peers/Peer.java ;; esac
erlc -o build/interop test/interop/ssl_port_interop.erl
exec erl -noshell -pa _build/default/lib/ssl_port/ebin build/interop \
  -kernel logger_level error -run ssl_port_interop main "$@"
