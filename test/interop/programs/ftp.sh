#!/bin/sh
# `ftp` of OTP as client of ProFTPD: explicit TLS (AUTH TLS) with the data connections under TLS too.
. "$(dirname "$0")/common.sh"
need proftpd proftpd-core
need /usr/lib/proftpd/mod_tls.so proftpd-mod-crypto
certificates
set -- $(free_ports 4)
tls12=$1 tls13=$2 strict=$3 implicit=$4
mkdir -p "$work/files"
user=$(id -un) uid=$(id -u) gid=$(id -g)
echo "tester:$(openssl passwd -6 secret):$uid:$gid::$work/files:/bin/sh" >"$work/users"
chmod 600 "$work/users"

server() { # port lines
  cat <<END
<VirtualHost 127.0.0.1>
  Port $1
  AuthUserFile $work/users
  AuthOrder mod_auth_file.c
  RequireValidShell off
  RootLogin on
  UseFtpUsers off
  AllowOverwrite on
  AllowStoreRestart on
  TLSEngine on
  TLSLog $logs/tls.log
  TLSRSACertificateFile $work/server.pem
  TLSRSACertificateKeyFile $work/server.key
  TLSCACertificateFile $work/ca.pem
  TLSRequired on
  $2
</VirtualHost>
END
}
{
  cat <<END
LoadModule mod_tls.c
ServerType standalone
Port 0
SocketBindTight on
DefaultAddress 127.0.0.1
ServerName test
UseReverseDNS off
User $user
Group $(id -gn)
PidFile $work/proftpd.pid
ScoreboardFile $work/scoreboard
DelayEngine off
WtmpLog off
AuthPAM off
TransferLog $logs/transfer.log
SystemLog $logs/system.log
END
  server "$tls12" 'TLSProtocol TLSv1.2'
  server "$tls13" 'TLSProtocol TLSv1.3'
  server "$strict" 'TLSProtocol TLSv1.2
  TLSVerifyClient on'
  server "$implicit" 'TLSProtocol TLSv1.2 TLSv1.3
  TLSOptions UseImplicitSSL NoSessionReuseRequired'
} >"$work/proftpd.conf"
start proftpd proftpd -n -c "$work/proftpd.conf"
if ! wait_for 20 listens "$implicit"; then
  cat "$logs/proftpd.log" "$logs/system.log"
  not_ok 'proftpd does not start'
  exit 1
fi
cases programs_ftp "tls12=$tls12" "tls13=$tls13" "strict=$strict" "implicit=$implicit"
