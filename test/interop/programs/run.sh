#!/bin/sh
# Real programs from Debian's packages, unmodified, over the drop-in module `ssl` (docs/programs.md).
# usage: sh test/interop/programs/run.sh              every program
#        sh test/interop/programs/run.sh ftp yaws     these alone
#        PROGRAMS_SSL=otp sh …                        the same over OTP's own ssl, to compare
# A program's script says `ok WHAT`, `not ok WHAT: why` or `skipped WHAT: why`, a line each.
# Ends with `N passed, N failed, N skipped`.
set -u
cd "$(dirname "$0")/../../.."
out=build/programs
mkdir -p "$out"
passed=0 failed=0 skipped=0

count() { grep -c "^$1 " "$out/$program.log"; }

run() {
  sh "test/interop/programs/$program.sh" >"$out/$program.log" 2>&1 </dev/null
  status=$?
  p=$(count ok) f=$(count 'not ok') s=$(count skipped)
  # One that was cut short, or said nothing, has failed.
  if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((p + s)) -eq 0 ]; }; then
    echo "not ok $program: ended with status $status" >>"$out/$program.log"
    f=1
  fi
}

[ $# -gt 0 ] || set -- ftp ldap rabbitmq yaws ejabberd tsung elixir
for program; do
  run
  if [ "$f" -gt 0 ]; then
    echo "run again, as it failed: $program"
    grep '^not ok ' "$out/$program.log"
    cp "$out/$program.log" "$out/$program.first.log"
    run
  fi
  [ "$f" -eq 0 ] || tail -n 60 "$out/$program.log"
  grep '^skipped ' "$out/$program.log"
  printf '%-12s %s passed, %s failed, %s skipped\n' "$program" "$p" "$f" "$s"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
