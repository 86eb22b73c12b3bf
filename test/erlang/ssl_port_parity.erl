%% Parity: one case body, run on ssl and on ssl_port in the same run, and what each of them
%% saw compared.
%%
%% A body is a fun of a configuration (as ssl_port_test_lib makes it: the modules `c' and
%% `s', certificates, versions); it returns what it saw. A list of {Label, Seen} is compared
%% label by label, anything else as one term under the label `result'. Alert texts, which
%% name files and lines of their implementation, sockets, pids, references and funs are
%% replaced by what they are before the comparison.
%%
%% Whatever differs fails the case, unless ssl_port_parity_differences.eterm lists it:
%%
%%     {{Suite, Case, Label}, SslPort, "Why"}.
%%
%% where SslPort is what ssl_port is expected to give instead. A listed difference that is
%% none any more fails as well.
-module(ssl_port_parity).

-export([init_per_suite/2, end_per_suite/1, init_per_testcase/3]).
-export([same/2, same/3, sides/2]).
-export([seen/1, seen/2, plain/1]).

-define(COUNTS, ssl_port_parity_counts).
-define(CASE_TIMEOUT, 60000).

%% For the callbacks of a suite. Env is application environment of ssl_port.

init_per_suite(Config, Env) ->
    Before = ssl_port_test_lib:start([{workers, 1} | Env]),
    Counts = counters:new(2, []),
    persistent_term:put(?COUNTS, Counts),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates()} | Config].

%% Prints how much was compared.
end_per_suite(Config) ->
    Counts = persistent_term:get(?COUNTS),
    io:format(user, "~nparity: ~b results compared, ~b of them differ as listed~n",
              [counters:get(Counts, 1), counters:get(Counts, 2)]),
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

init_per_testcase(Suite, Case, Config) ->
    [{parity_case, {Suite, Case}} | Config].

%% Comparing.

%% The body on ssl at both ends, and on ssl_port at the client's end, at the server's, and at
%% both; in the versions of the configuration, or in TLS 1.3 and 1.2.
same(Config, Body) ->
    Versions = proplists:get_value(versions, Config, ['tlsv1.3', 'tlsv1.2']),
    lists:foreach(fun(Version) -> sides(cfg(Config, [Version]), Config, Body) end, Versions).

%% The same with versions as given, which may be none: then the body is not about a version.
same(Config, Versions, Body) ->
    sides(cfg(Config, Versions), Config, Body).

%% For bodies that take no sides: Body(Module) on ssl, and on ssl_port.
sides(Config, Body) ->
    Expected = run(fun(_) -> Body(ssl) end, #{}),
    compare(Config, Expected, run(fun(_) -> Body(ssl_port) end, #{}), #{}).

sides(Cfg, Config, Body) ->
    Expected = run(Body, Cfg#{c => ssl, s => ssl}),
    lists:foreach(
      fun({C, S}) ->
              Sides = #{c => C, s => S},
              compare(Config, Expected, run(Body, maps:merge(Cfg, Sides)),
                      Sides#{versions => maps:get(versions, Cfg)})
      end,
      [{ssl_port, ssl}, {ssl, ssl_port}, {ssl_port, ssl_port}]).

cfg(Config, Versions) ->
    maps:merge(proplists:get_value(certificates, Config), #{versions => Versions}).

%% In a process of its own, since a body leaves messages behind.
run(Body, Cfg) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({seen, Body(Cfg)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {seen, Seen}} -> labelled(Seen);
        {'DOWN', Monitor, process, Pid, Reason} -> ct:fail({Cfg, Reason})
    after ?CASE_TIMEOUT ->
            Where = erlang:process_info(Pid, current_stacktrace),
            exit(Pid, kill),
            ct:fail({hangs, Cfg, Where})
    end.

labelled([{_, _} | _] = Seen) ->
    case lists:all(fun(Entry) -> is_tuple(Entry) andalso tuple_size(Entry) =:= 2 end, Seen) of
        true -> Seen;
        false -> [{result, Seen}]
    end;
labelled(Seen) ->
    [{result, Seen}].

compare(Config, Expected, Got, Sides) ->
    {Suite, Case} = proplists:get_value(parity_case, Config),
    Labels = [Label || {Label, _} <- Expected],
    Labels = [Label || {Label, _} <- Got],
    Wrong = lists:append([judge({Suite, Case, plain(Label)}, plain(Theirs), plain(Ours))
                          || {{Label, Theirs}, {Label, Ours}} <- lists:zip(Expected, Got)]),
    case Wrong of
        [] ->
            ok;
        _ ->
            [io:format(user, "~n~0tp ~0tp~nssl:      ~ts~nssl_port: ~ts~n~ts~n",
                       [Key, Sides, short(Theirs), short(Ours), Why])
             || {Key, Theirs, Ours, Why} <- Wrong],
            ct:fail({differ, Sides, [Label || {{_, _, Label}, _, _, _} <- Wrong]})
    end.

short(Term) ->
    io_lib:format("~0tp", [Term], [{chars_limit, 1000}]).

judge(Key, Theirs, Ours) ->
    Counts = persistent_term:get(?COUNTS),
    counters:add(Counts, 1, 1),
    case {lists:keyfind(Key, 1, differences()), Theirs} of
        {false, Ours} ->
            [];
        {false, _} ->
            [{Key, Theirs, Ours, "they differ"}];
        {{Key, Ours, _Why}, Ours} ->
            [{Key, Theirs, Ours, "listed as different, and they do not differ"}];
        {{Key, Ours, _Why}, _} ->
            counters:add(Counts, 2, 1),
            [];
        %% Only one end is ssl_port's, and it is the other that was looked at.
        {{Key, _, _Why}, Ours} ->
            [];
        {{Key, _, _Why}, _} ->
            [{Key, Theirs, Ours, "they differ in another way than listed"}]
    end.

differences() ->
    {ok, Differences} = file:consult(ssl_port_program:path(
                                       "test/erlang/ssl_port_parity_differences.eterm")),
    Differences.

%% Seeing.

%% What a call gave: its value, or the class and the reason of its exception.
seen(Call) ->
    try Call() of
        Value -> Value
    catch
        Class:Reason -> {Class, Reason}
    end.

%% The same, where waiting longer than Timeout is one of the answers.
seen(Call, Timeout) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({seen, seen(Call)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {seen, Seen}} -> Seen;
        {'DOWN', Monitor, process, Pid, Reason} -> {exit, Reason}
    after Timeout ->
            _ = erlang:demonitor(Monitor, [flush]),
            exit(Pid, kill),
            hangs
    end.

%% Without what is different in each run.
plain({tls_alert, {Alert, Text}}) when is_list(Text) -> {tls_alert, Alert};
plain(Socket) when is_tuple(Socket), tuple_size(Socket) > 1, element(1, Socket) =:= sslsocket ->
    sslsocket;
plain(Tuple) when is_tuple(Tuple) -> list_to_tuple(plain(tuple_to_list(Tuple)));
plain([Head | Tail]) -> [plain(Head) | plain(Tail)];
plain(Map) when is_map(Map) -> maps:map(fun(_, Value) -> plain(Value) end, Map);
plain(Pid) when is_pid(Pid) -> pid;
plain(Port) when is_port(Port) -> port;
plain(Reference) when is_reference(Reference) -> reference;
plain(Fun) when is_function(Fun) ->
    {arity, Arity} = erlang:fun_info(Fun, arity),
    {'fun', Arity};
plain(Term) -> Term.
