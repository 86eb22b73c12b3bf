# What the programs' scripts share, for them to source: a folder of their own, certificates, ports, processes
# that end with the script, and the lines that run.sh counts.
set -u
program=$(basename "$0" .sh)
root=$(pwd)
here=$root/test/interop/programs
work=$root/build/programs/$program
app=$root/_build/default/lib/ssl_port
logs=$work/logs
export LC_ALL=C.UTF-8
rm -rf "$work"
mkdir -p "$work" "$logs"

# Over the drop-in, unless OTP's own ssl is asked for.
if [ "${PROGRAMS_SSL:-}" = otp ]; then path=; else path="-pa $app/dropin $app/ebin"; fi
over_dropin() { [ -n "$path" ]; }

ok() { echo "ok $*"; }
not_ok() { echo "not ok $*"; }
skipped() { echo "skipped $*"; }

# check WHAT command...: the command says so by its status; what it printed is shown when it fails.
check() {
  local said=$1; shift
  if "$@" >"$logs/check.log" 2>&1; then
    ok "$said"
  else
    tail -n 40 "$logs/check.log"
    not_ok "$said"
  fi
}

# need COMMAND-OR-FILE PACKAGE: without it everything here is skipped.
need() {
  case "$1" in
    /*) [ -e "$1" ] && return ;;
    *) command -v "$1" >/dev/null 2>&1 && return ;;
  esac
  skipped "$program: the package $2 is not installed"
  exit 0
}

# Processes. Ended in reverse order when the script ends, with those that they started in their group.
started=
start() { # name command...
  name=$1; shift
  setsid "$@" >"$logs/$name.log" 2>&1 </dev/null &
  started="$! $started"
}
at_end() { :; }
cleanup() {
  at_end
  for pid in $started; do
    kill -s TERM -- "-$pid" 2>/dev/null
    n=0
    while kill -s 0 -- "-$pid" 2>/dev/null && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.1; done
    kill -s KILL -- "-$pid" 2>/dev/null
  done
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# wait_for SECONDS command...
wait_for() {
  deadline=$(($(date +%s) + $1)); shift
  while ! "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt $deadline ] || return 1
    sleep 0.2
  done
}
listens() { node -e 'require("node:net").connect(+process.argv[1], "127.0.0.1")
  .on("connect", () => process.exit(0)).on("error", () => process.exit(1))' "$1"; }

# free_ports N: ports of 127.0.0.1 that nobody has.
free_ports() {
  node -e 'const net = require("node:net"); let left = +process.argv[1]; const all = [];
    for (let i = left; i > 0; i--) { const s = net.createServer().listen(0, "127.0.0.1", () => {
      all.push(s); if (--left === 0) { console.log(all.map((s) => s.address().port).join(" "));
      for (const s of all) s.close(); } }); }' "$1"
}

# An authority, and certificates of localhost and of a client, in $work: ca.pem, server.pem, server.key,
# client.pem, client.key; stranger_ca.pem is one that has signed nothing here.
certificates() {
  authority ca
  authority stranger_ca
  leaf server localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1
extendedKeyUsage=serverAuth'
  leaf client "${1:-client}" 'extendedKeyUsage=clientAuth'
}
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -sha256 -subj "/CN=$1 of $program" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}
leaf() { # name subject extensions
  printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\n%s\n' "$3" >"$work/$1.ext"
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
  openssl x509 -req -sha256 -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
    -extfile "$work/$1.ext" -out "$work/$1.pem" 2>/dev/null
}

# cases MODULE name=value...: the case_… functions of a module of this folder, each given a map of these strings.
cases() {
  module=$1; shift
  erlc -o "$work" "$here/programs_cases.erl" "$here/$module.erl" || return 1
  erl -noshell $path -pa "$work" -kernel logger_level critical \
    -run programs_cases main "$module" "work=$work" "ssl=${PROGRAMS_SSL:-dropin}" "$@"
}
