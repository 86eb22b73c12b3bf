#!/bin/sh
# Runs one suite of OTP's in a node of its own, and ends it when it takes too long.
# usage: sh test/conformance/suite.sh RUN SUITE [CASES]
# RUN is what is tested: `ssl'; `ssl_port'; `ssl_port_inet', where the BEAM owns all sockets;
# `mix_client' or `mix_server', where ssl_port has that end and ssl the other. CASES is a file of
# {Suite, Groups, Case} terms; without it all cases are run. The results go to
# build/conformance/RUN/results/SUITE.
set -u
cd "$(dirname "$0")/../.."
root=$PWD
run=$1 suite=$2 cases=${3:-all}
here=$root/test/conformance
out=$root/build/conformance/$run
limit=${CONFORMANCE_LIMIT:-1500}
tested=ssl_port flags=
case "$run" in
  ssl) tested=ssl ;;
  ssl_port_inet) flags="-ssl_port transport inet" ;;
  mix_*) tested=conformance_mixed ;;
esac
modules=$root/build/conformance/compiled/$tested
mkdir -p "$out/results" "$out/logs/$suite" "$out/output"
export PATH="$here/bin:$PATH" OPENSSL_CONF="$here/openssl.cnf"
export CONFORMANCE_NODE=$$ CONFORMANCE_MIX="${run#mix_}"
cd "$out/logs/$suite"
start=$(date +%s)
# shellcheck disable=SC2086
timeout -k 10 "$limit" erl -noinput -hidden -sname "conformance_${run}_$$" $flags \
  -pa "$root/build/conformance/harness" "$modules" "$root/_build/default/lib/ssl_port/ebin" \
  -s conformance_run run -extra "$suite" "$modules" "$out/results/$suite" "$cases" "$out/logs/$suite" \
  >"$out/output/$suite" 2>&1
status=$?
[ "$status" -eq 0 ] || echo "{stopped, $status}." >>"$out/results/$suite"
echo "$run $suite: $(grep -c '^{started' "$out/results/$suite") cases, $(grep -c '^{failed' "$out/results/$suite") failed, $(($(date +%s) - start)) s"
