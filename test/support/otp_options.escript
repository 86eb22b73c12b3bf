#!/usr/bin/env escript
%% What OTP's own ssl answers to option lists. Argument: a file of {client | server, Options} terms, the
%% caller's options. Writes one line each: the answer of connect (to a port where nobody listens) or listen.
main([File]) ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, none),
    {ok, Terms} = file:consult(File),
    {ok, Listen} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Listen),
    ok = gen_tcp:close(Listen),
    [io:format("~w~n", [answer(Role, Options, Port)]) || {Role, Options} <- Terms].

answer(Role, Options, Port) ->
    Self = self(),
    {Pid, Ref} = spawn_monitor(fun() -> Self ! {self(), catch call(Role, Options, Port)} end),
    receive
        {Pid, Answer} -> erlang:demonitor(Ref, [flush]), Answer;
        {'DOWN', Ref, _, _, _} -> crash
    after 5000 -> exit(Pid, kill), hang
    end.

call(client, Options, Port) ->
    ssl:connect("127.0.0.1", Port, Options, 2000);
call(server, Options, _Port) ->
    case ssl:listen(0, Options) of
        {ok, Socket} -> ok = ssl:close(Socket), ok;
        Error -> Error
    end.
