#!/usr/bin/env escript
%%! -noinput
%%% Runs the EUnit modules and the Common Test suites of this folder against the compiled
%%% application, and ends with one line: `N passed, N failed, N skipped'.
%%%
%%%   escript test/erlang/run.escript [eunit | ct] [Module ...]
%%%
%%% The application is taken from _build/default/lib/ssl_port/ebin (`rebar3 compile'). The
%%% port program is dist/port/main.js of the repository when the application has no priv/.
-mode(compile).

main(Args) ->
    Root = filename:dirname(filename:dirname(filename:dirname(filename:absname(escript:script_name())))),
    ok = file:set_cwd(Root),
    Out = filename:join(Root, "_build/test_erlang"),
    ok = filelib:ensure_dir(filename:join(Out, "x")),
    true = code:add_patha(filename:join(Root, "_build/default/lib/ssl_port/ebin")),
    true = code:add_patha(Out),
    ok = no_warnings(),
    {Kinds, Names} = lists:partition(fun(A) -> A =:= "eunit" orelse A =:= "ct" end, Args),
    Modules = [compile(File, Out) || File <- lists:sort(filelib:wildcard("test/erlang/*.erl"))],
    Chosen = [M || M <- Modules, Names =:= [] orelse lists:member(atom_to_list(M), Names)],
    logger:set_primary_config(level, critical),
    Results = [run(Kind, Chosen, Out) || Kind <- ["eunit", "ct"],
                                         Kinds =:= [] orelse lists:member(Kind, Kinds)],
    {Passed, Failed, Skipped} =
        lists:foldl(fun({P, F, S}, {P0, F0, S0}) -> {P0 + P, F0 + F, S0 + S} end, {0, 0, 0}, Results),
    io:format("~n~b passed, ~b failed, ~b skipped~n", [Passed, Failed, Skipped]),
    halt(case Failed of 0 when Passed > 0 -> 0; _ -> 1 end).

%% The application's own sources, with the warnings that rebar.config asks for.
no_warnings() ->
    {ok, Config} = file:consult("rebar.config"),
    Options = proplists:get_value(erl_opts, Config) ++ [strong_validation, warnings_as_errors, report],
    case [File || File <- filelib:wildcard("erlang/*.erl"), compile:file(File, Options) =:= error] of
        [] -> ok;
        _ -> failed()
    end.

compile(File, Out) ->
    case compile:file(File, [{outdir, Out}, debug_info, report, warnings_as_errors,
                             nowarn_missing_spec]) of
        {ok, Module} -> Module;
        error -> failed()
    end.

failed() ->
    io:format("~n0 passed, 1 failed, 0 skipped~n"),
    halt(1).

run("eunit", Modules, _Out) ->
    Tests = [M || M <- Modules, lists:suffix("_tests", atom_to_list(M))],
    Me = self(),
    %% EUnit tells the counts only to a listener.
    Listener = spawn_link(fun() -> count(Me, 0, 0, 0) end),
    _ = eunit:test([{module, M} || M <- Tests], [verbose, {report, Listener}]),
    receive {counts, Counts} -> Counts end;
run("ct", Modules, Out) ->
    Logs = filename:join(filename:dirname(Out), "test_logs"),
    ok = filelib:ensure_dir(filename:join(Logs, "x")),
    Suites = [M || M <- Modules, lists:suffix("_SUITE", atom_to_list(M))],
    lists:foldl(fun(Suite, {P0, F0, S0}) ->
                        {P, F, S} = suite(Suite, Out, Logs),
                        {P0 + P, F0 + F, S0 + S}
                end, {0, 0, 0}, Suites).

%% What fails has to fail twice: `ssl' itself answers some races either way, and a machine that stalls ends the
%% patience of a peer.
suite(Suite, Out, Logs) ->
    case suite_once(Suite, Out, Logs) of
        {_, Failed, _} when Failed > 0 ->
            io:format("~nrun again, as it failed: ~s~n", [Suite]),
            suite_once(Suite, Out, Logs);
        Counts ->
            Counts
    end.

suite_once(Suite, Out, Logs) ->
    %% The hook that redirects the log has nothing to redirect, and fails on a machine that stalls.
    case ct:run_test([{dir, Out}, {suite, Suite}, {logdir, Logs},
                      {auto_compile, false}, {ct_hooks, []}, {enable_builtin_hooks, false},
                      {verbosity, 20}]) of
        {Ok, Failed, {User, Auto}} -> {Ok, Failed + Auto, User};
        Error -> io:format("~0tp~n", [Error]), {0, 1, 0}
    end.

%% The events of eunit_listener; groups begin and end as tests do, but do not count.
count(To, P, F, S) ->
    receive
        {status, Id, {progress, 'begin', {test, _}}} ->
            put({test, Id}, true),
            count(To, P, F, S);
        {status, Id, {progress, 'end', {Status, _Data}}} ->
            case {erase({test, Id}), Status} of
                {true, ok} -> count(To, P + 1, F, S);
                {true, {skipped, _}} -> count(To, P, F, S + 1);
                {true, _} -> count(To, P, F + 1, S);
                {undefined, _} -> count(To, P, F, S)
            end;
        {status, _Id, {cancel, undefined}} -> count(To, P, F, S);
        {status, _Id, {cancel, _Reason}} -> count(To, P, F + 1, S);
        {stop, Reference, ReplyTo} ->
            ReplyTo ! {result, Reference, [{pass, P}, {fail, F}, {skip, S}, {cancel, 0}]},
            To ! {counts, {P, F, S}};
        _ -> count(To, P, F, S)
    end.
