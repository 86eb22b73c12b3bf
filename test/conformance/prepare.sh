#!/bin/sh
# Gets OTP's test suites and compiles them into build/conformance, once for each module that they are to
# test: ssl, ssl_port, and conformance_mixed (both).
# OTP_SRC names an unpacked OTP source; without it Debian's source package of the installed erlang
# is fetched.
set -eu
cd "$(dirname "$0")/../.."
out=$PWD/build/conformance
mkdir -p "$out/harness"
vsn=$(erl -noshell -eval 'application:load(ssl), {ok, V} = application:get_key(ssl, vsn), io:put_chars(V), halt().')

# apt-get source with source entries of its own, so that the machine's lists stay as they are.
fetch() {
  version=$(dpkg-query -W -f '${source:Version}' erlang-base)
  sources=$out/apt
  mkdir -p "$sources/lists/partial" "$sources/parts"
  : >"$sources/sources.list"
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$list" ] || sed -n 's/^deb\(-src\)\{0,1\} /deb-src /p' "$list" >>"$sources/sources.list"
  done
  for list in /etc/apt/sources.list.d/*.sources; do
    [ ! -f "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" >"$sources/parts/$(basename "$list")"
  done
  set -- -o Dir::Etc::sourcelist="$sources/sources.list" -o Dir::Etc::sourceparts="$sources/parts" \
    -o Dir::State::lists="$sources/lists" -o APT::Sandbox::User=root -qq
  apt-get "$@" update
  (cd "$out" && apt-get "$@" source --download-only "erlang=$version")
  rm -rf "$sources"
  tar -xf "$out"/erlang_*.orig.tar.* -C "$out" --wildcards '*/lib/ssl/*'
  rm -f "$out"/erlang_*
  OTP_SRC=$(ls -d "$out"/otp*/ | head -n 1)
}

if [ -z "${OTP_SRC:-}" ]; then
  OTP_SRC=$(ls -d "$out"/otp*/ 2>/dev/null | head -n 1 || true)
  [ -n "$OTP_SRC" ] || fetch
fi
lib=$OTP_SRC/lib/ssl
grep -q "$vsn" "$lib/vsn.mk" || echo "the suites are not those of ssl-$vsn, which runs here" >&2

# Where -include_lib("ssl/src/...") finds its files; everything else comes from the installed release.
mkdir -p "$out/include"
ln -sfn "$(cd "$lib" && pwd)" "$out/include/ssl"
for module in test/conformance/*.erl; do
  [ "$out/harness/$(basename "$module" .erl).beam" -nt "$module" ] || erlc -o "$out/harness" "$module"
done
for tested in ssl ssl_port conformance_mixed; do
  to=$out/compiled/$tested
  [ "$to/.compiled" -nt "$out/harness/conformance_transform.beam" ] || {
    mkdir -p "$to"
    erl -noinput -pa "$out/harness" -s conformance_run compile -extra "$lib" "$to" "$tested" >"$out/compiled/$tested.log"
    for data in "$lib"/test/*_data; do cp -R "$data" "$to/"; done
    touch "$to/.compiled"
  }
done
