#!/bin/sh
# The interop matrix: ssl_port in both roles against every peer x version x suite x kind of certificate.
# usage: sh test/interop/run.sh                      everything; writes docs/features.md
#        sh test/interop/run.sh [all] PEER ...       these alone, in the fewer cells of `make test`, or in all;
#                                                    PEER is openssl gnutls otp go java node_1_0_1 node_1_0_2 node_3_5
# Ends with `N passed, N failed, N skipped`.
set -eu
cd "$(dirname "$0")/../.."
out=build/interop
mkdir -p "$out"
: >"$out/peers.log"
wanted() { [ -z "$peers" ] || case " $peers " in *" $1"*) true ;; *) false ;; esac; }
peers=${*:-}
peers=${peers#all }

# Node.js releases by npm; without them their cells are missing, and the table is not written.
node_peers() {
  mkdir -p "$out/node"
  cmp -s test/interop/peers/node/package-lock.json "$out/node/installed" && return
  cp test/interop/peers/node/package.json test/interop/peers/node/package-lock.json "$out/node/"
  npm ci --prefix "$out/node" --no-audit --no-fund --loglevel=error &&
    cp "$out/node/package-lock.json" "$out/node/installed"
}

if wanted go; then go build -o "$out/go_peer" test/interop/peers/peer.go; fi
if wanted java; then javac -d "$out" test/interop/peers/Peer.java; fi
if wanted node_; then node_peers || echo "the Node.js releases could not be installed" >&2; fi
node test/interop/peers/list_suites.mjs >"$out/suites.txt"
erlc -o "$out" test/interop/*.erl
exec erl -noshell -pa _build/default/lib/ssl_port/ebin "$out" \
  -kernel logger_level emergency -run ssl_port_interop main "$@"
