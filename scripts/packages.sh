#!/bin/sh
# Makes sure that the Debian packages one make target needs are installed.
# usage: sh scripts/packages.sh node|erlang|check|demo|test|interop|programs|bench
# Installs what is missing as root or with sudo; where it cannot, says in one line what to install.
set -eu

# A line a need: what is looked for (a command, or a file with a leading slash), and its package.
node_needs='node:nodejs npm:npm'
erlang_needs='erl:erlang-base erlc:erlang-base rebar3:rebar3
  lib/crypto:erlang-crypto lib/public_key:erlang-public-key lib/ssl:erlang-ssl lib/asn1:erlang-asn1'
demo_needs="$erlang_needs lib/inets:erlang-inets openssl:openssl curl:curl"
test_needs="$demo_needs lib/eunit:erlang-eunit lib/common_test:erlang-common-test
  lib/tools:erlang-tools lib/runtime_tools:erlang-runtime-tools lib/xmerl:erlang-xmerl
  lib/edoc:erlang-edoc lib/dialyzer:erlang-dialyzer
  gnutls-cli:gnutls-bin xz:xz-utils ps:procps
  lib/ftp:erlang-ftp lib/eldap:erlang-eldap /usr/sbin/slapd:slapd
  /usr/sbin/proftpd:proftpd-core /usr/lib/proftpd/mod_tls.so:proftpd-mod-crypto mix:elixir"
interop_needs="$test_needs go:golang-go javac:openjdk-17-jdk-headless"
programs_needs="$test_needs /usr/lib/rabbitmq/bin/rabbitmq-server:rabbitmq-server /usr/lib/python3/dist-packages/pika:python3-pika
  yaws:yaws chromium:chromium certutil:libnss3-tools
  /usr/sbin/ejabberdctl:ejabberd /usr/sbin/mosquitto:mosquitto mosquitto_pub:mosquitto-clients
  tsung:tsung"
bench_needs="$demo_needs cc:gcc make:make g++:g++ python3:python3 /usr/include/openssl/ssl.h:libssl-dev"

case "${1:-}" in
  node) needs=$node_needs ;;
  check) needs="$node_needs $erlang_needs openssl:openssl" ;;
  erlang) needs=$erlang_needs ;;
  demo) needs=$demo_needs ;;
  test) needs=$test_needs ;;
  interop) needs=$interop_needs ;;
  programs) needs=$programs_needs ;;
  bench) needs=$bench_needs ;;
  *) echo "usage: $0 node|erlang|check|demo|test|interop|programs|bench" >&2; exit 2 ;;
esac

# A library is its code: erlang-dev has the header files of libraries that are not there.
present() {
  case "$1" in
    /*) [ -e "$1" ] ;;
    lib/*) ls -d /usr/lib/erlang/"$1"-*/ebin /usr/local/lib/erlang/"$1"-*/ebin >/dev/null 2>&1 || erlang_has "${1#lib/}" ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# An Erlang that did not come from Debian keeps its libraries elsewhere.
erlang_has() {
  command -v erl >/dev/null 2>&1 || return 1
  root=$(erl -noshell -eval 'io:put_chars(code:lib_dir()), halt().' 2>/dev/null) || return 1
  ls -d "$root/$1"-*/ebin >/dev/null 2>&1
}

missing=
for need in $needs; do
  present "${need%%:*}" || case " $missing " in
    *" ${need##*:} "*) ;;
    *) missing="$missing ${need##*:}" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root=sudo
else as_root=none
fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Please install these packages and run make again:$missing" >&2
  exit 1
fi
echo "Installing:$missing"
log=$(mktemp)
# Servers among them are run by the tests, as they want them; the system is not to start its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null && $as_root chmod 755 $policy
  trap '$as_root rm -f $policy' EXIT
fi
if ! { DEBIAN_FRONTEND=noninteractive $as_root apt-get update -qq &&
       DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1
then
  tail -n 5 "$log" >&2
  echo "Could not install these packages; please install them and run make again:$missing" >&2
  exit 1
fi
rm -f "$log"
