#!/bin/sh
# Tsung, a load generator: about 100 users of an HTTPS server of Node.js, a connection and five
# requests each.
. "$(dirname "$0")/common.sh"
need tsung tsung
certificates
set -- $(free_ports 2)
https=$1 epmd=$2
cat >"$work/server.mjs" <<'END'
import { readFileSync } from 'node:fs';
import https from 'node:https';
const [folder, port] = process.argv.slice(2);
const read = (name) => readFileSync(`${folder}/${name}`);
let served = 0;
https
  .createServer({ cert: read('server.pem'), key: read('server.key') }, (request, response) => {
    if (request.url === '/count') return response.end(String(served));
    served += 1;
    response.end('x'.repeat(2000));
  })
  .listen(Number(port), '127.0.0.1');
END
cat >"$work/tsung.xml" <<END
<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "/usr/share/tsung/tsung-1.0.dtd">
<tsung loglevel="notice" version="1.0">
  <clients><client host="localhost" use_controller_vm="true" maxusers="1000"/></clients>
  <servers><server host="localhost" port="$https" type="ssl"/></servers>
  <load>
    <arrivalphase phase="1" duration="10" unit="second">
      <users maxnumber="100" arrivalrate="10" unit="second"/>
    </arrivalphase>
  </load>
  <sessions>
    <session name="pages" probability="100" type="ts_http">
      <for from="1" to="5" var="n"><request><http url="/page" method="GET" version="1.1"/></request></for>
    </session>
  </sessions>
</tsung>
END
start server node "$work/server.mjs" "$work" "$https"
wait_for 20 listens "$https" || { not_ok 'the server does not start'; exit 1; }

# Who looks for Node.js, as the port program's owner does, leaves a mark.
mkdir -p "$work/bin" "$work/.tsung"
printf '#!/bin/sh\ntouch %s\nexec %s "$@"\n' "$work/served" "$(command -v node)" >"$work/bin/node"
chmod +x "$work/bin/node"
export HOME="$work" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1
start epmd epmd -port "$epmd"
load() {
  PATH=$work/bin:$PATH ERL_FLAGS="$path" timeout 120 tsung -f "$work/tsung.xml" -l "$work/log" -n start
}
check "run: $(tsung -v)" load
sum() { sed -n "s/^stats: $1 //p" "$work"/log/*/tsung.log | awk '{ sum += $1 } END { print sum + 0 }'; }
# They come at random.
users=$(sum users_count)
check 'dozens of users came' test "$users" -ge 40
check 'a connection each' test "$(sum connect)" = "$users"
check 'five requests each' test "$(sum request)" = $((users * 5))
answered() { [ "$(curl -sS --cacert "$work/ca.pem" "https://localhost:$https/count")" = $((users * 5)) ]; }
check 'all answered' answered
errors() { ! grep '^stats: error' "$work"/log/*/tsung.log; }
check 'no errors' errors
if over_dropin; then check 'served by ssl_port' test -e "$work/served"; fi
