#!/bin/sh
# Elixir: the example project that calls `:ssl_port` (examples/elixir), and programs of Elixir's own that call `:ssl`,
# over the drop-in: Mix downloading an archive, `:httpc` in a script.
. "$(dirname "$0")/common.sh"
need mix elixir
need rebar3 rebar3
certificates
set -- $(free_ports 1)
https=$1
export HOME="$work" MIX_REBAR3="$(command -v rebar3)" MIX_BUILD_PATH="$work/build"

# Without the network: its one dependency is this repository.
(cd examples/elixir && mix test --trace) >"$logs/mix.log" 2>&1
status=$?
sed -n 's/^.*\* test \(.*\) ([0-9.]*ms) .*$/ok mix test: \1/p' "$logs/mix.log" | sort -u
if [ $status -ne 0 ]; then
  tail -n 60 "$logs/mix.log"
  not_ok "mix test"
fi

# A server of OpenSSL, with an archive as Mix makes them.
mkdir -p "$work/archive/lib"
cat >"$work/archive/mix.exs" <<'END'
defmodule Hello.MixProject do
  use Mix.Project
  def project, do: [app: :hello, version: "0.1.0"]
end
END
cat >"$work/archive/lib/hello.ex" <<'END'
defmodule Mix.Tasks.Hello do
  use Mix.Task
  def run(_), do: Mix.shell().info("hello from the archive")
end
END
(cd "$work/archive" && MIX_BUILD_PATH="$work/archive/_build" mix archive.build) >"$logs/archive.log" 2>&1
unset MIX_BUILD_PATH
cd "$work/archive" || exit 1
start openssl openssl s_server -WWW -quiet -accept "127.0.0.1:$https" -cert "$work/server.pem" -key "$work/server.key"
wait_for 20 listens "$https" || { not_ok 'openssl s_server does not start'; exit 1; }

checksum=$(sha512sum <hello-0.1.0.ez | cut -d' ' -f1)
download() {
  ELIXIR_ERL_OPTIONS="$path" \
    mix archive.install --force --sha512 "$checksum" "https://localhost:$https/hello-0.1.0.ez"
}
check 'Mix downloads an archive' download
check 'which works' sh -c 'cd / && mix hello | grep "hello from the archive"'

check ':httpc, from a script' elixir --erl "$path" "$here/httpc.exs" "$work" "$https" "${PROGRAMS_SSL:-dropin}"
