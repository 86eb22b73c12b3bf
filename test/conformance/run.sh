#!/bin/sh
# OTP's own test suites of ssl against ssl_port.
# usage: sh test/conformance/run.sh              all of suites.txt, on ssl too; writes docs/conformance.md
#        sh test/conformance/run.sh SUITE ...    these alone, on both
#        sh test/conformance/run.sh smoke        the few of `make test`, on ssl_port alone
#        sh test/conformance/run.sh report       no run: docs/conformance.md anew, from the results that are there
# MIX=client or MIX=server runs with ssl_port at that end and OTP's ssl at the other (without SUITE ..., the
# suites of mix.txt), TRANSPORT=inet with sockets that the BEAM owns. OTP_SRC names an unpacked OTP source of
# the installed release; otherwise Debian's is fetched.
# Results are kept in build/conformance/RUN/results (suite.sh) until the same suite runs again.
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
runs="ssl_port ssl" list=$here/suites.txt write=
[ -z "${MIX:-}" ] || { runs=mix_$MIX list=$here/mix.txt; }
[ -z "${TRANSPORT:-}" ] || runs=ssl_port_$TRANSPORT
case "${1:-}" in
  '') suites=$(grep -v '^#' $list) write=--write ;;
  report) suites='' write=--write ;;
  smoke) suites=$(grep -v '^#' $here/smoke.txt) runs=ssl_port ;;
  *) suites=$* ;;
esac

# The results of these suites, or of all that ever ran.
print() {
  files=
  [ -n "$write" ] && shown="ssl ssl_port ssl_port_inet mix_client mix_server" || shown=$runs
  for run in $shown; do
    for file in "$out/$run"/results/*; do
      case " $suites " in
        *" $(basename "$file") "*) files="$files $file" ;;
        *) [ -z "$write" ] || [ ! -f "$file" ] || files="$files $file" ;;
      esac
    done
  done
  # shellcheck disable=SC2086
  erl -noshell -pa $out/harness -s conformance_results print -extra $files
}

suites=$(echo $suites)
for run in $runs; do
  for suite in $suites; do echo "$run $suite"; done
done | xargs -r -P 2 -L 1 sh $here/suite.sh

# Again what failed and is not listed: a case counts as different only when it differs twice.
[ -z "$suites" ] || print | node $here/report.mjs |
  sed -n 's/^failed: \([a-z0-9_]*\) \([a-z0-9_A-Z]*\):.*/\1 \2/p' | sort -u |
  while read -r run suite; do
    case " $suites " in *" $suite "*) ;; *) continue ;; esac
    results=$out/$run/results/$suite
    mv "$results" $out/first
    erl -noshell -pa $out/harness -s conformance_results failed -extra $out/first $out/cases </dev/null
    sh $here/suite.sh "$run" "$suite" "$PWD/$out/cases" </dev/null
    cat $out/first "$results" >$out/both
    mv $out/both "$results"
  done
print | node $here/report.mjs $write
