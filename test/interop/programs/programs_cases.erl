%% Runs the cases of one program that is a library of OTP's: every exported `case_…/1' of its module, and says
%% of each `ok', `not ok' or `skipped', as run.sh counts them. At the end it is asked who served TLS.
-module(programs_cases).

-export([main/1]).
-export([client/1, client/2]).

-define(PATIENCE, 60000).

main([Name | Settings]) ->
    Module = list_to_atom(Name),
    {module, Module} = code:ensure_loaded(Module),
    Config = maps:from_list([setting(Setting) || Setting <- Settings]),
    ok = Module:start(),
    [run(Module, Case, Config) || {Case, 1} <- lists:sort(Module:module_info(exports)),
                                  lists:prefix("case_", atom_to_list(Case))],
    served(Config),
    halt().

setting(Text) ->
    [Name, Value] = string:split(Text, "="),
    {list_to_atom(Name), Value}.

run(Module, Case, Config) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({result, Module:Case(Config)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {result, ok}} ->
            io:format("ok ~s~n", [Case]);
        {'DOWN', Monitor, process, Pid, {result, {skipped, Why}}} ->
            io:format("skipped ~s: ~s~n", [Case, Why]);
        {'DOWN', Monitor, process, Pid, Reason} ->
            io:format("not ok ~s: ~0p~n", [Case, Reason])
    after ?PATIENCE ->
        io:format("not ok ~s: no end; ~0p~n", [Case, process_info(Pid, current_stacktrace)]),
        exit(Pid, kill)
    end.

%% Otherwise all of this would prove nothing.
served(#{ssl := "otp"}) ->
    false = code:is_loaded(ssl_port),
    io:format("ok served by ssl of OTP~n");
served(_) ->
    case ssl_port_metrics:counters() of
        #{handshakes_client := Number} when Number > 0 ->
            io:format("ok served by ssl_port: ~b handshakes~n", [Number]);
        Other ->
            io:format("not ok served by ssl_port: ~0p~n", [Other])
    end.

%% What a client trusts, and the certificate that it has.
client(#{work := Work}) ->
    [{verify, verify_peer}, {cacertfile, filename:join(Work, "ca.pem")},
     {server_name_indication, "localhost"}].

client(with_certificate, #{work := Work} = Config) ->
    [{certfile, filename:join(Work, "client.pem")}, {keyfile, filename:join(Work, "client.key")}
     | client(Config)];
client(of_strangers, #{work := Work}) ->
    [{verify, verify_peer}, {cacertfile, filename:join(Work, "stranger_ca.pem")},
     {server_name_indication, "localhost"}].
