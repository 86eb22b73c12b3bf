#!/bin/sh
# EDoc of the Erlang modules into _build/docs; any warning or error fails.
set -eu
cd "$(dirname "$0")/.."
mkdir -p _build/docs
erl -noshell -eval '
  Files = filelib:wildcard("erlang/*.erl"),
  try edoc:files(Files, [{dir, "_build/docs"}, {private, false}]) of
    ok -> io:format("_build/docs/index.html~n"), halt(0)
  catch _:Reason -> io:format(standard_error, "edoc: ~p~n", [Reason]), halt(1)
  end.'
