#!/bin/sh
# OTP's own test suites of ssl against ssl_port.
# usage: sh test/conformance/run.sh              all of suites.txt, on ssl too; writes docs/conformance.md
#        sh test/conformance/run.sh SUITE ...    these alone, on both
#        sh test/conformance/run.sh smoke        the few of `make test`, on ssl_port alone
# OTP_SRC names an unpacked OTP source of the installed release; otherwise Debian's is fetched.
# The last line is `N passed, N failed, N skipped`; a failure that otp.json lists counts as skipped.
set -eu
cd "$(dirname "$0")/../.."
here=test/conformance out=build/conformance
try=0
until sh $here/prepare.sh; do
  try=$((try + 1))
  [ "$try" -lt 3 ] || { echo "OTP's test suites could not be fetched"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
  sleep 5
done
implementations="ssl_port ssl" write=
case "${1:-}" in
  '') suites=$(grep -v '^#' $here/suites.txt) write=--write ;;
  smoke) suites=$(grep -v '^#' $here/smoke.txt) implementations=ssl_port ;;
  *) suites=$* ;;
esac
for implementation in $implementations; do rm -rf "$out/$implementation/results"; done
for implementation in $implementations; do
  for suite in $suites; do echo "$implementation $suite"; done
done | xargs -P 2 -L 1 sh $here/suite.sh

# Again what failed and is not listed: a case counts as different only when it differs twice.
print() {
  erl -noshell -pa $out/harness -s conformance_results print -extra $(for one in $implementations; do ls -d $out/$one/results/*; done)
}
again=$(print | node $here/report.mjs | sed -n 's/^failed: \([a-z0-9_A-Z]*\):.*/\1/p' | sort -u)
for suite in $again; do
  mv $out/ssl_port/results/"$suite" $out/first
  erl -noshell -pa $out/harness -s conformance_results failed -extra $out/first $out/cases
  sh $here/suite.sh ssl_port "$suite" "$PWD/$out/cases"
  cat $out/first $out/ssl_port/results/"$suite" >$out/both
  mv $out/both $out/ssl_port/results/"$suite"
done
print | node $here/report.mjs $write
