%%% Compiles OTP's test modules, and runs one suite of them in this node.
-module(conformance_run).

-export([compile/0]).
-export([run/0]).

%% The suites' time limits are those of a machine that does nothing else.
-define(PATIENCE, 3).

%% Arguments behind -extra: the folder of OTP's lib/ssl, where to put the modules, and the module that
%% they are to test: `ssl' (as they are), or another, put in by the parse transform.
-spec compile() -> no_return().
compile() ->
    [Lib, Out, Tested] = init:get_plain_arguments(),
    Options = [{outdir, Out}, {i, filename:join(Lib, "src")}, {i, filename:join(Lib, "test")},
               {i, filename:join(filename:dirname(filename:dirname(Out)), "include")}, report_errors, debug_info
               | transforms(list_to_atom(Tested))],
    Files = filelib:wildcard(filename:join([Lib, "test", "*.erl"])),
    Failed = [filename:basename(File) || File <- Files, compile:file(File, Options) =:= error],
    [io:format(standard_error, "not compiled: ~ts~n", [Failed]) || Failed =/= []],
    halt(0).

transforms(ssl) -> [];
transforms(Module) -> [{parse_transform, conformance_transform}, {conformance, Module}].

%% Arguments behind -extra: the suite, the folder of its modules, where to write the results, the
%% cases to run (`all' or a file), the folder of logs.
-spec run() -> no_return().
run() ->
    [Suite, Modules, Results, Cases0, Logs] = init:get_plain_arguments(),
    Cases = case Cases0 of "all" -> all; File -> File end,
    ok = filelib:ensure_dir(filename:join(Logs, "x")),
    _ = ct:run_test([{dir, Modules}, {suite, list_to_atom(Suite)}, {logdir, Logs},
                     {auto_compile, false}, {verbosity, 0}, {multiply_timetraps, ?PATIENCE}, {enable_builtin_hooks, false},
                     {ct_hooks, [{conformance_hook, [Results, Cases]}]}]),
    halt(0).
