#!/bin/sh
# Yaws serving HTTPS to curl and to Chromium without a display: pages, posts, streams, a web socket.
. "$(dirname "$0")/common.sh"
need yaws yaws
need curl curl
certificates tester
set -- $(free_ports 3)
https=$1 strict=$2 proxy=$3
mkdir -p "$work/www"
cp "$here"/yaws/* "$work/www/"
head -c 1000000 /dev/urandom >"$work/www/big.bin"
big=$(sha256sum <"$work/www/big.bin" | cut -d' ' -f1)
erlc -o "$work" "$here/programs_yaws.erl"

server() { # port lines
  cat <<END
<server localhost>
  port = $1
  listen = 127.0.0.1
  docroot = $work/www
  partial_post_size = nolimit
  <ssl>
    keyfile = $work/server.key
    certfile = $work/server.pem
    cacertfile = $work/ca.pem
    $2
  </ssl>
</server>
END
}
{
  printf 'logdir = %s\nlog_resolve_hostname = false\nfail_on_bind_err = true\n' "$logs"
  server "$https" 'verify = verify_none'
  server "$strict" 'verify = verify_peer
    fail_if_no_peer_cert = true'
  # As client of its own server.
  printf '<server proxy>\nport = %s\nlisten = 127.0.0.1\ndocroot = %s\nrevproxy = / https://localhost:%s\n</server>\n' \
    "$proxy" "$work/www" "$https"
} >"$work/yaws.conf"
export HOME="$work"
start yaws yaws --conf "$work/yaws.conf" --id programs --erlarg "-noinput $path -pa $work"

get() { local asked=$1; shift; curl -sS --fail -m 60 --cacert "$work/ca.pem" "$@" "https://localhost:$https/$asked"; }
strict() { curl -sS --fail -m 60 --cacert "$work/ca.pem" "$@" "https://localhost:$strict/tls.yaws"; }
if ! wait_for 60 get tls.yaws; then
  cat "$logs"/*.log
  not_ok 'yaws does not start'
  exit 1
fi
ok "started: $(yaws --version)"

is() { wanted=$1; shift; got=$("$@") || return 1; [ "$got" = "$wanted" ] || { echo "got $got"; false; }; }
hash_of() { sha256sum | cut -d' ' -f1; }
file() { get big.bin "$@" | hash_of; }
part() { get big.bin -r 999990-999999 | hash_of; }
post() { get post.yaws --data-binary "@$work/www/big.bin" -H 'Expect:' | tr A-F a-f; }
stream() { get stream.yaws | hash_of; }
many() { # 200 requests: one connection for all, or one each
  set -- "$@" --no-progress-meter
  for n in 1 2 3 4 5 6 7 8 9 10; do
    for m in 1 2 3 4 5 6 7 8 9 10; do set -- "$@" -o /dev/null "https://localhost:$https/picture.svg?$n.$m"; done
  done
  curl -sS --fail -m 120 --cacert "$work/ca.pem" -w '%{http_code} ' "$@" | tr ' ' '\n' | grep -c 200
}
check 'curl: TLS 1.3' is 'tlsv1.3 nobody' get tls.yaws --tlsv1.3
check 'curl: TLS 1.2' is 'tlsv1.2 nobody' get tls.yaws --tls-max 1.2
check 'curl: a file of 1 MB' is "$big" file
check 'curl: a part of it' is "$(tail -c 10 "$work/www/big.bin" | hash_of)" part
check 'curl: 1 MB posted' is "$big" post
check 'curl: 5,000 chunks' is "$(seq 5000 | hash_of)" stream
check 'curl: 100 requests on one connection' is 100 many
check 'curl: 100 requests on a connection each, 10 at a time' is 100 many -H 'Connection: close' --parallel --parallel-max 10
check 'curl: a client certificate' is 'tlsv1.3 tester' \
  strict --cert "$work/client.pem" --key "$work/client.key"
refused() { ! strict "$@"; }
check 'curl: no client certificate, no page' refused
check "curl: a stranger's certificate, no page" refused --cert "$work/stranger_ca.pem" --key "$work/stranger_ca.key"

proxied() { curl -sS --fail -m 60 "http://127.0.0.1:$proxy/big.bin" | hash_of; }
check 'Yaws as client: a reverse proxy for HTTPS' is "$big" proxied

if command -v chromium >/dev/null 2>&1 && command -v certutil >/dev/null 2>&1; then
  # Our authority is one that this browser trusts.
  mkdir -p "$work/.pki/nssdb"
  certutil -N -d "sql:$work/.pki/nssdb" --empty-password
  certutil -A -d "sql:$work/.pki/nssdb" -n ca -t C,, -i "$work/ca.pem"
  browse() { # trusted url
    chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --timeout=90000 \
      --user-data-dir="$work/chromium" --dump-dom "$@" 2>"$logs/chromium.log"
  }
  browse "https://localhost:$https/page.html" >"$work/dom.html"
  for result in "requestsAtOnce=$big" post=same stream=5000 webSocket=1000 picture=30 'tls=tlsv1.3 nobody'; do
    check "chromium: $(echo "$result" | cut -c1-30)" grep -F "$result" "$work/dom.html"
  done
  browse "https://localhost:$strict/page.html" >"$work/refused.html"
  check 'chromium: no client certificate, no page' sh -c "! grep -F picture $work/refused.html"
  certutil -D -d "sql:$work/.pki/nssdb" -n ca
  browse "https://localhost:$https/page.html" >"$work/unknown.html"
  check 'chromium: an authority that it does not know, no page' sh -c "! grep -F picture $work/unknown.html"
else
  skipped 'chromium: the packages chromium and libnss3-tools are not installed'
fi

get served.yaws
if over_dropin; then
  check 'served by ssl_port' sh -c "curl -sS --cacert $work/ca.pem https://localhost:$https/served.yaws |
    grep -E '^ssl_port [1-9][0-9]{2,} [1-9]'"
fi
yaws --stop --id programs >/dev/null 2>&1
stopped() { ! listens "$https"; }
check 'stopped in good order' wait_for 30 stopped
check 'no crash in the log' sh -c "! grep -E 'CRASH|crash|badmatch|undef|function_clause' $logs/report.log"
