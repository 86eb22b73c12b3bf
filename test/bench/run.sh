#!/bin/sh
# ssl and ssl_port doing the same work against the same OpenSSL peer, in one run.
# usage: sh test/bench/run.sh [memory] [module...]    ssl and ssl_port over both transports when none is named
# With `memory` it is the memory of idle connections that is measured.
# Prints the table (Markdown) and leaves it in build/bench/table.md.
set -eu
cd "$(dirname "$0")/../.."
out=build/bench
mkdir -p $out

cc -O2 -Wall -Wextra -o $out/peer test/bench/peer.c -lssl -lcrypto -pthread
erlc -Wall -o $out test/bench/ssl_port_bench.erl test/bench/ssl_port_over_inet.erl \
  test/bench/ssl_port_memory.erl

# A throw-away CA and one certificate for localhost.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj '/CN=bench CA' \
  -addext 'keyUsage=critical,keyCertSign,cRLSign' \
  -keyout $out/ca.key -out $out/ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=localhost' \
  -keyout $out/server.key -out $out/server.csr 2>/dev/null
printf '%s\n' 'subjectAltName=DNS:localhost' 'basicConstraints=critical,CA:FALSE' \
  'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth' >$out/server.ext
openssl x509 -req -in $out/server.csr -CA $out/ca.pem -CAkey $out/ca.key -CAcreateserial -days 7 \
  -extfile $out/server.ext -out $out/server.pem 2>/dev/null

what=ssl_port_bench
if [ "${1:-}" = memory ]; then
  what=ssl_port_memory
  shift
  [ $# -gt 0 ] || set -- ssl ssl_port
fi

# Without arguments `erl -run' would look for main/0.
[ $# -gt 0 ] || set -- ssl ssl_port ssl_port_over_inet

status=0
erl -noshell -pa _build/default/lib/ssl_port/ebin $out -kernel logger_level error \
  -run $what main "$@" || status=$?
[ $what != ssl_port_bench ] || sh test/bench/chain/run.sh
exit $status
