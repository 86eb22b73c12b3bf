#!/bin/sh
# Compiles the application and runs its EUnit modules and Common Test suites.
# usage: sh test/erlang/run.sh [eunit | ct] [MODULE ...]
# The last line is `N passed, N failed, N skipped`.
set -eu
cd "$(dirname "$0")/../.."
rebar3 compile
exec escript test/erlang/run.escript "$@"
