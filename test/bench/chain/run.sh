#!/bin/sh
# Validating a chain of three certificates (root, intermediate, peer): this validator, public_key and OpenSSL, in
# turns. usage: sh test/bench/chain/run.sh
set -eu
cd "$(dirname "$0")/../../.."
here=test/bench/chain
out=build/bench/chain
mkdir -p $out

cc -O2 -Wall -Wextra -o $out/openssl $here/openssl.c -lcrypto
erlc -Wall -o $out $here/ssl_port_chain_bench.erl

cat >$out/openssl.cnf <<'END'
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END

# usage: chain NAME KEY-OPTIONS...
chain() {
  name=$out/$1
  shift
  mkdir -p "$name"
  for who in root ca leaf; do
    openssl genpkey "$@" -out "$name/$who.key" 2>/dev/null
    openssl req -new -config $out/openssl.cnf -key "$name/$who.key" -subj "/O=bench/CN=$who" -out "$name/$who.csr"
  done
  sign root root ca && sign ca root ca && sign leaf ca leaf
}

# usage: sign WHO ISSUER EXTENSIONS
sign() {
  by="-CA $name/$2.pem -CAkey $name/$2.key -CAcreateserial"
  [ "$1" != "$2" ] || by="-signkey $name/$1.key"
  # shellcheck disable=SC2086
  openssl x509 -req -in "$name/$1.csr" $by -days 30 -extfile $out/openssl.cnf -extensions "$3" \
    -out "$name/$1.pem" 2>/dev/null
  openssl x509 -in "$name/$1.pem" -outform DER -out "$name/$1.der"
}

chain ecdsa -algorithm EC -pkeyopt ec_paramgen_curve:P-256
chain rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048

exec node build/test/bench/chain/table.js $out
