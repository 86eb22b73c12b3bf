#!/bin/sh
# RabbitMQ: AMQPS with client certificates required, the management plugin (cowboy and ranch) over HTTPS, and
# RabbitMQ's own client in a shovel from one queue to another.
. "$(dirname "$0")/common.sh"
bin=/usr/lib/rabbitmq/bin
need $bin/rabbitmq-server rabbitmq-server
need /usr/lib/python3/dist-packages/pika python3-pika
need curl curl
certificates tester
set -- $(free_ports 4)
amqps=$1 https=$2 epmd=$3 dist=$4

# Nothing of the system's own RabbitMQ: node, cookie, epmd, folders, configuration.
export HOME="$work" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1
export RABBITMQ_CONF_ENV_FILE="$work/none" RABBITMQ_NODENAME=programs@localhost RABBITMQ_DIST_PORT="$dist"
export RABBITMQ_CONFIG_FILE="$work/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$work/plugins"
export RABBITMQ_MNESIA_BASE="$work/mnesia" RABBITMQ_LOG_BASE="$logs" RABBITMQ_PID_FILE="$work/pid"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="$path -kernel inet_dist_use_interface {127,0,0,1}"
echo '[rabbitmq_management,rabbitmq_auth_mechanism_ssl,rabbitmq_shovel,rabbitmq_shovel_management].' >"$work/plugins"
cat >"$work/rabbitmq.conf" <<END
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:$amqps
ssl_options.cacertfile = $work/ca.pem
ssl_options.certfile = $work/server.pem
ssl_options.keyfile = $work/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_cert_login_from = common_name
auth_mechanisms.1 = EXTERNAL
auth_mechanisms.2 = PLAIN
management.ssl.ip = 127.0.0.1
management.ssl.port = $https
management.ssl.cacertfile = $work/ca.pem
management.ssl.certfile = $work/server.pem
management.ssl.keyfile = $work/server.key
management.load_definitions = $work/definitions.json
log.console = false
END
# The user of the certificate, who can log in by it alone, and one with a password.
cat >"$work/definitions.json" <<END
{"users": [{"name": "tester", "password_hash": "", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ""},
           {"name": "admin", "password": "secret", "tags": "administrator"}],
 "vhosts": [{"name": "/"}],
 "permissions": [{"user": "tester", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
                 {"user": "admin", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}
END

ctl() { $bin/rabbitmqctl -q "$@"; }
manage() { curl -sS --fail -m 60 --cacert "$work/ca.pem" -u admin:secret "$@"; }
api() { local asked=$1; shift; manage "$@" "https://localhost:$https/api/$asked"; }
amqp() { /usr/bin/python3 "$here/amqp_client.py" "$work" "$amqps" "$@"; }

start epmd epmd -port "$epmd"
start rabbitmq $bin/rabbitmq-server
if ! wait_for 120 api overview; then
  tail -n 40 "$logs"/rabbitmq.log "$logs"/programs@localhost.log
  not_ok 'rabbitmq-server does not start'
  exit 1
fi
ok "started: $(ctl version)"

check 'AMQPS: 10,000 messages published and consumed, logged in by certificate' amqp messages 10000
check 'AMQPS: large messages' amqp large
check 'AMQPS: 20 connections at once' amqp many 20
check 'AMQPS: no client certificate, no connection' amqp refused none
check "AMQPS: a stranger's certificate, no connection" amqp refused stranger
for version in 1.2 1.3; do
  check "AMQPS: TLS $version" amqp version "$version"
done

connection() { api connections | grep -q '"ssl":true' && api connections | grep -q '"peer_cert_subject":"CN=tester"'; }
amqp hold >"$logs/hold.log" 2>&1 & holder=$!
check 'the management API knows a connection as TLS, with the subject of its certificate' wait_for 30 connection
listed() { ctl list_connections ssl ssl_protocol ssl_cipher peer_cert_issuer |
  grep "true.tlsv1.3.aes_256_gcm.CN=ca of rabbitmq"; }
check 'rabbitmqctl lists its protocol, its cipher and the issuer' listed
kill $holder
check 'rabbitmq-diagnostics: versions of TLS' sh -c "$bin/rabbitmq-diagnostics -q tls_versions | grep tlsv1.3"
check 'rabbitmq-diagnostics: cipher suites' sh -c \
  "$bin/rabbitmq-diagnostics -q cipher_suites | grep ECDHE-RSA-AES256-GCM-SHA384"

check 'the management page over HTTPS' sh -c \
  "curl -sS --fail -m 60 --cacert $work/ca.pem https://localhost:$https/ | grep -q 'RabbitMQ Management'"
hundred() {
  set --
  for n in 1 2 3 4 5 6 7 8 9 10; do
    for m in 1 2 3 4 5 6 7 8 9 10; do set -- "$@" -o /dev/null "https://localhost:$https/api/overview?$n.$m"; done
  done
  manage --no-keepalive "$@"
}
check 'a hundred requests of the API on one connection' hundred

# RabbitMQ as client: its Erlang client takes from one queue and gives to the other, both over AMQPS.
uri="amqps://localhost:$amqps?cacertfile=$work/ca.pem&certfile=$work/client.pem&keyfile=$work/client.key"
uri="$uri&verify=verify_peer&server_name_indication=localhost&auth_mechanism=external"
shovel() {
  api parameters/shovel/%2F/move -X PUT -H 'content-type: application/json' -d "{\"value\": {
    \"src-protocol\": \"amqp091\", \"src-uri\": \"$uri\", \"src-queue\": \"from\",
    \"dest-protocol\": \"amqp091\", \"dest-uri\": \"$uri\", \"dest-queue\": \"to\"}}" && amqp shovelled 2000
}
check 'a shovel: 2,000 messages through the Erlang client' shovel

if over_dropin; then
  check 'served by ssl_port' ctl eval '#{handshakes_server := S, handshakes_client := C} = ssl_port_metrics:counters(),
    true = S > 20, true = C > 0, {S, C}.'
fi
check 'no crash in the log' sh -c "! grep -E 'CRASH|crasher|badmatch|undef|function_clause' '$logs/programs@localhost.log'"
check 'stopped in good order' ctl stop
