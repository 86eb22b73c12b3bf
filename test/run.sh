#!/bin/sh
# Runs the test runners one after the other and adds up what they counted.
# usage: sh test/run.sh unit    the quick TypeScript tests
#        sh test/run.sh all     those, and flows, property, fuzz, interop smoke, EUnit, Common Test, real programs
# The last line is `N passed, N failed, N skipped`; exit status 1 when anything failed.
set -u
cd "$(dirname "$0")/.."
what=${1:-all}
logs=build/logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# Adds the three counts of one runner; a runner that counted nothing has failed.
add() { # name passed failed skipped
  printf '%-12s %s passed, %s failed, %s skipped\n' "$1" "${2:-0}" "${3:-0}" "${4:-0}"
  passed=$((passed + ${2:-0})) failed=$((failed + ${3:-0})) skipped=$((skipped + ${4:-0}))
  if [ $((${2:-0} + ${3:-0} + ${4:-0})) -eq 0 ]; then
    echo "$1 ran no test" >&2
    failed=$((failed + 1))
  fi
}

# Runs test files; sets the status, and p, f and s: how many passed, failed and were skipped.
node_files() { # tap file...
  tap=$1; shift
  rm -f "$tap"
  node --test --test-concurrency=2 --test-timeout=300000 \
    --test-reporter=dot --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$tap" "$@"
  status=$?
  awk '/^ *not ok/ && !/# (SKIP|TODO)/ {show=20} show-- > 0' "$tap"
  p=$(sed -n 's/^# pass //p' "$tap") f=$(sed -n 's/^# fail //p' "$tap")
  s=$(sed -n 's/^# skipped //p' "$tap") c=$(sed -n 's/^# cancelled //p' "$tap")
  f=$((${f:-0} + ${c:-0}))
  [ "$f" -gt 0 ] || [ "$status" -eq 0 ] || f=1
}

node_tests() { # name folder...
  name=$1; shift
  files=$(find "$@" -name '*.test.js' | sort)
  [ -n "$files" ] || { add "$name"; return; }
  node_files "$logs/$name.tap" $files
  # A machine that stalls ends a real peer's patience: the few files that fail run a second time, which is said.
  # Where there is no peer, what fails once has failed.
  if [ "$f" -gt 0 ] && [ "$name" = interop ]; then
    first_p=$p first_f=$f first_s=$s
    again=$(awk '/^ *not ok/ && !/# (SKIP|TODO)/ {look=1}
                 look && /location:/ {gsub(/^.*location: .|:[0-9]+:[0-9]+.$/, ""); print; look=0}' \
      "$logs/$name.tap" | sort -u)
    if [ -n "$again" ] && [ "$(echo "$again" | wc -l)" -le 3 ]; then
      echo "run again, as they failed:" $again
      node_files "$logs/$name.again.tap" $again
      p=$((first_p + first_f - f)) s=$first_s
    fi
  fi
  add "$name" "$p" "$f" "$s"
}

# Any other runner: a script whose last line is `N passed, N failed, N skipped`.
script_run() { # name command...
  log=$logs/$1.log; shift
  "$@" >"$log" 2>&1
  echo "status $?" >>"$log"
}

script_add() { # name
  log=$logs/$1.log
  status=$(sed -n '$s/^status //p' "$log")
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
  name=$1
  set -- $(printf '%s' "$line" | tr -dc '0-9 ')
  p=${1:-0} f=${2:-0} s=${3:-0}
  [ "$f" -gt 0 ] || [ "$status" = 0 ] || f=1
  [ "$f" -eq 0 ] || tail -n 80 "$log"
  add "$name" "$p" "$f" "$s"
}

node_tests unit build/test/unit
if [ "$what" = all ]; then
  for folder in flows property fuzz interop; do
    [ ! -d "test/$folder" ] || node_tests "$folder" "build/test/$folder"
  done
  # The Common Test suites wait more than they work: what has folders of its own runs beside them.
  {
    script_run demo sh demo/run.sh
    script_run matrix sh test/interop/run.sh openssl gnutls otp
    script_run programs sh test/interop/programs/run.sh ftp ldap elixir
  } &
  beside=$!
  script_run erlang sh test/erlang/run.sh
  script_add erlang
  # Over sockets of the BEAM, as the drop-in has them; cutting packets is the same there.
  script_run erlang_inet env SSL_PORT_TRANSPORT=inet \
    SSL_PORT_CASES="-case_packets_active -case_packets_passive -case_packets_sent -case_invalid_packet" \
    sh test/erlang/run.sh ct ssl_port_parity_functions_SUITE ssl_port_parity_sockets_SUITE
  script_add erlang_inet
  wait "$beside"
  for name in demo matrix programs; do script_add "$name"; done
  script_run conformance sh test/conformance/run.sh smoke
  script_add conformance
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
