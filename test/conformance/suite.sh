#!/bin/sh
# Runs one suite of OTP's in a node of its own, and ends it when it takes too long.
# usage: sh test/conformance/suite.sh ssl|ssl_port SUITE [CASES]
# CASES is a file of {Suite, Groups, Case} terms; without it all cases are run. The results go to
# build/conformance/IMPLEMENTATION/results/SUITE.
set -u
cd "$(dirname "$0")/../.."
root=$PWD
implementation=$1 suite=$2 cases=${3:-all}
here=$root/test/conformance
out=$root/build/conformance/$implementation
limit=${CONFORMANCE_LIMIT:-1500}
mkdir -p "$out/results" "$out/logs/$suite" "$out/output"
export PATH="$here/bin:$PATH" OPENSSL_CONF="$here/openssl.cnf"
export CONFORMANCE_NODE=$$
cd "$out/logs/$suite"
start=$(date +%s)
timeout -k 10 "$limit" erl -noinput -hidden -sname "conformance_${implementation}_$$" \
  -pa "$root/build/conformance/harness" "$out/ebin" "$root/_build/default/lib/ssl_port/ebin" \
  -s conformance_run run -extra "$suite" "$out/ebin" "$out/results/$suite" "$cases" "$out/logs/$suite" \
  >"$out/output/$suite" 2>&1
status=$?
[ "$status" -eq 0 ] || echo "{stopped, $status}." >>"$out/results/$suite"
echo "$implementation $suite: $(grep -c '^{started' "$out/results/$suite") cases, $(grep -c '^{failed' "$out/results/$suite") failed, $(($(date +%s) - start)) s"
