# OpenLDAP's slapd, for the scripts that source this.
PATH=$PATH:/usr/sbin
need slapd slapd

# directory NAME PORT LDAPS_PORT VERIFY [LDIF]: a server of its own in $work/NAME, which holds the entries of LDIF.
directory() {
  mkdir -p "$work/$1/data"
  cat >"$work/$1/slapd.conf" <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $work/$1/slapd.pid
argsfile $work/$1/slapd.args
TLSCACertificateFile $work/ca.pem
TLSCertificateFile $work/server.pem
TLSCertificateKeyFile $work/server.key
TLSVerifyClient $4
# Nothing without TLS.
security tls=1
sizelimit unlimited
database mdb
maxsize 100000000
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw secret
directory $work/$1/data
END
  [ -z "${5:-}" ] || slapadd -q -f "$work/$1/slapd.conf" -l "$5"
  start "$1" slapd -d 0 -f "$work/$1/slapd.conf" -h "ldap://127.0.0.1:$2 ldaps://127.0.0.1:$3"
  if ! wait_for 20 listens "$3"; then
    cat "$logs/$1.log"
    not_ok "slapd does not start"
    exit 1
  fi
}
