#!/bin/sh
# `eldap` of OTP as client of OpenLDAP's slapd (which is on GnuTLS here): StartTLS, ldaps, client certificates.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/directory.sh"
need erl erlang-base
certificates
set -- $(free_ports 4)
ldap=$1 ldaps=$2 strict=$3 strict_ldaps=$4

directory open "$ldap" "$ldaps" never
directory strict "$strict" "$strict_ldaps" demand
cases programs_ldap "ldap=$ldap" "ldaps=$ldaps" "strict=$strict" "strict_ldaps=$strict_ldaps"
