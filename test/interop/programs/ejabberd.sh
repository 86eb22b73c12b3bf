#!/bin/sh
# ejabberd. Its own listeners are on a library over OpenSSL (fast_tls), but two of its clients are on `ssl`: users
# who are kept by LDAP under TLS, and the bridge to another MQTT server (Mosquitto), which wants a certificate.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/directory.sh"
need mosquitto mosquitto
need mosquitto_pub mosquitto-clients
libs=$(dirname "$(ls -d /usr/lib/*/ejabberd-*/ebin 2>/dev/null | head -n 1)" 2>/dev/null)
need "${libs:-/none}" ejabberd
certificates bridge
set -- $(free_ports 6)
ldap=$1 ldaps=$2 mqtt=$3 mosquitto=$4 epmd=$5 dist=$6
cat "$work/client.pem" "$work/client.key" >"$work/both.pem"

cat >"$work/users.ldif" <<END
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: uid=alice,dc=example,dc=org
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Example
userPassword: wonderland
END
directory users "$ldap" "$ldaps" demand "$work/users.ldif"

cat >"$work/mosquitto.conf" <<END
listener $mosquitto 127.0.0.1
cafile $work/ca.pem
certfile $work/server.pem
keyfile $work/server.key
require_certificate true
use_identity_as_username true
user $(id -un)
END
start mosquitto mosquitto -c "$work/mosquitto.conf"

cat >"$work/ejabberd.yml" <<END
hosts: [localhost]
loglevel: info
auth_method: ldap
auth_use_cache: false
ldap_servers: [localhost]
ldap_port: $ldaps
ldap_encrypt: tls
ldap_tls_verify: hard
ldap_tls_cacertfile: $work/ca.pem
ldap_tls_certfile: $work/both.pem
ldap_rootdn: "cn=admin,dc=example,dc=org"
ldap_password: secret
ldap_base: "dc=example,dc=org"
listen:
  -
    port: $mqtt
    ip: "127.0.0.1"
    module: mod_mqtt
modules:
  mod_mqtt: {}
  mod_mqtt_bridge:
    replication_user: "alice@localhost"
    servers:
      "mqtts://localhost:$mosquitto":
        publish:
          "here": "there"
        subscribe:
          "out": "in"
        authentication:
          certfile: $work/both.pem
END
export HOME="$work" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1 ERL_LIBS="$(dirname "$libs")"
export EJABBERD_CONFIG_PATH="$work/ejabberd.yml" EJABBERD_LOG_PATH="$logs/ejabberd.log" ERL_INETRC=/etc/ejabberd/inetrc
node=programs@localhost
start epmd epmd -port "$epmd"
# As ejabberdctl starts it, which would change to another user first.
start node erl -noinput -sname $node $path -kernel inet_dist_listen_min "$dist" inet_dist_listen_max "$dist" \
  -kernel inet_dist_use_interface '{127,0,0,1}' -mnesia dir "\"$work/mnesia\"" -s ejabberd
ctl() { erl -noinput -hidden -sname "ctl$$" -eval 'net_kernel:connect_node('$node').' -s ejabberd_ctl -extra $node "$@"; }
evaluate() {
  erl -noinput -hidden -sname "eval$$" -eval "io:format(\"~0p~n\", [rpc:call($node, erlang, apply, [fun() -> $1 end, []])]), halt()."
}

started() { listens "$mqtt" && ctl status | grep 'is running'; }
if ! wait_for 60 started; then
  cat "$logs/node.log" "$logs"/ejabberd.log
  not_ok 'ejabberd does not start'
  exit 1
fi
ok "started: $(ctl status | grep -o 'ejabberd .* is running')"
# password USER PASSWORD WANTED
password() { evaluate "ejabberd_auth:check_password(<<\"$1\">>, <<>>, <<\"localhost\">>, <<\"$2\">>)" | grep "^$3"; }
# (The connection to LDAP is made in the background.)
check 'LDAP over TLS: the right password' wait_for 30 password alice wonderland true
check 'LDAP over TLS: a wrong password' password alice looking-glass false
check 'LDAP over TLS: a stranger' password bob wonderland false

# Of 200 messages none is lost or out of order. (Quality of service 2: each comes once.)
lines() { seq 200 | sed 's/^/message /'; }
here() { # program arguments, as alice at ejabberd
  tool=$1; shift
  "$tool" -V 5 -h 127.0.0.1 -p "$mqtt" -u alice@localhost -P wonderland -i "here$tool" "$@"
}
there() { # the same at Mosquitto
  tool=$1; shift
  "$tool" -V 5 -h localhost -p "$mosquitto" --cafile "$work/ca.pem" --cert "$work/client.pem" --key "$work/client.key" \
    -i "there$tool" "$@"
}
# A message that says when the other side has subscribed: sent until it arrives.
bridged() { # from topic to topic
  $3 mosquitto_sub -q 2 -W 60 -t "$4" >"$work/got" &
  subscriber=$!
  wait_for 30 arrives "$@" || { kill $subscriber; return 1; }
  lines | $1 mosquitto_pub -q 2 -t "$2" -l
  wait_for 30 grep -q 'message 200' "$work/got"
  kill $subscriber
  grep message "$work/got" >"$work/messages"
  lines | cmp - "$work/messages"
}
arrives() { $1 mosquitto_pub -q 2 -t "$2" -m ready; sleep 0.3; grep -q ready "$work/got"; }
check 'MQTT bridge: 200 messages from ejabberd to Mosquitto' bridged here here there there
check 'MQTT bridge: 200 messages from Mosquitto to ejabberd' bridged there out here in

# LDAP has a connection for passwords and one for searches.
served() { evaluate 'maps:get(handshakes_client, ssl_port_metrics:counters())' | grep '^[3-9]'; }
if over_dropin; then check 'served by ssl_port: the clients of LDAP and of MQTT' served; fi
check 'stopped in good order' ctl stop
