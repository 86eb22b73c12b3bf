%% The user's funs: what they are called with, what their answers do, and that nobody but their
%% own handshake waits for them. Each case judges the same chains by ssl and by ssl_port, with
%% ssl at the other end, and compares calls, results and the alert that the other end sees.
-module(ssl_port_callbacks_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [alert/1]).

-define(CHAINS, ssl_port_test_chains).
-define(TIMEOUT, 30000).

suite() ->
    [{timetrap, {minutes, 5}}].

all() ->
    [{group, Version} || Version <- ['tlsv1.2', 'tlsv1.3']] ++ [{group, any}].

groups() ->
    [{Version, [], both()} || Version <- ['tlsv1.2', 'tlsv1.3']] ++ [{any, [], once()}].

both() ->
    [calls_of_a_client, calls_of_a_server, calls_with_der, old_form, refusals, answers, failures,
     path_errors, own_names, host_names, partial_chains, failing_partial_chains,
     without_verification].

once() ->
    [waits_for_nobody, never_returns, states_stay_whole].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([]),
    [{before, Before} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(?config(before, Config)).

init_per_group(any, Config) -> [{version, 'tlsv1.3'} | Config];
init_per_group(Version, Config) -> [{version, Version} | Config].

end_per_group(_Group, _Config) -> ok.

%% S-O12, C01: the calls of fun/3, whatever is found accepted.
calls_of_a_client(Config) -> calls(client, Config, recorder(3, fun accept/2)).
calls_of_a_server(Config) -> calls(server, Config, recorder(3, fun accept/2)).

%% A-O11: fun/4 gets the certificate as it came too. (OTP 25 has not the root's, and crashes.)
calls_with_der(Config) ->
    Chains = ?CHAINS:names() -- [expired_root],
    [same(Config, client, Chain, fun(Me) -> [recorder(4, fun accept/2, Me)] end) || Chain <- Chains].

%% R14: fun/1.
old_form(Config) ->
    [same(Config, client, Chain,
          fun(Me) -> [{verify_fun, fun([Reason]) -> Me ! {call, Reason}, Answer end}] end)
     || Chain <- [good, expired, unknown_ca, other_host, unknown_critical], Answer <- [true, false]].

%% S-B04, R42: what is refused, and where; a reason of its own, and one of OTP's.
refusals(Config) ->
    [same(Config, Role, Chain, fun(Me) -> [recorder(3, Answer, Me)] end)
     || Role <- [client, server], Chain <- [good, deep, expired, unknown_ca, unknown_critical, bad_signature],
        Answer <- [fun echo/2, fun own/2, refuse(2), refuse(4), refuse(5)]].

%% Answers that a fun can give, with sense and without.
answers(Config) ->
    [same(Config, client, Chain, fun(Me) -> [recorder(3, fun(Event, S) -> answer(When, Event, Answer, S) end, Me)] end)
     || {Chain, When} <- [{good, valid}, {good, valid_peer}, {unknown_extension, extension},
                          {unknown_critical, extension}, {expired, bad_cert}],
        Answer <- [valid, valid_peer, unknown, nonsense],
        %% OTP 25 takes a fun that knows nothing of what is broken for one that accepts it.
        {When, Answer} =/= {bad_cert, unknown}].

%% R43: exit, error and throw are three things; on the path as a whole all are a refusal.
failures(Config) ->
    [same(Config, Role, Chain, fun(Me) -> [recorder(3, fail(When, How), Me)] end)
     || Role <- [client, server],
        {Chain, When} <- [{good, valid}, {good, valid_peer}, {unknown_ca, bad_cert}, {expired, bad_cert}],
        How <- [fun() -> exit(boom) end, fun() -> error(boom) end, fun() -> throw(boom) end]],
    [same(Config, client, good, fun(Me) -> [recorder(3, fail(valid, How), Me)] end)
     || How <- [fun() -> exit(self(), kill), receive after infinity -> ok end end]].

%% S-E06: the path errors of the manuals, without a fun of the user's.
path_errors(Config) ->
    [same(Config, Role, Chain, fun(_) -> [] end)
     || Role <- [client, server],
        Chain <- [expired, future, expired_issuer, invalid_issuer, named_root,
                  named_root_of_peer, bad_signature, bad_issuer_signature, unknown_ca,
                  unknown_ca_no_issuer, selfsigned_peer, name_not_permitted, no_ca, ca_without_key_usage,
                  unknown_critical, wrong_purpose]].

%% P07: names are compared with a fun of the user's too.
own_names(Config) ->
    [same(Config, client, Chain, fun(Me) -> Options ++ [recorder(3, Answer, Me)] end)
     || Chain <- [good, other_host], Answer <- [fun accept/2, fun echo/2],
        Options <- [[], [{server_name_indication, "example.org"}], [{server_name_indication, disable}]]].

%% C03.
host_names(Config) ->
    Match = fun(Me, Result) -> fun(Ref, Name) -> Me ! {call, {Ref, Name}}, Result() end end,
    [same(Config, client, Chain,
          fun(Me) -> [{customize_hostname_check, [{match_fun, Match(Me, Result)}]} | Options(Me)] end)
     || Chain <- [good, other_host],
        Result <- [fun() -> true end, fun() -> false end, fun() -> default end, fun() -> nonsense end,
                   fun() -> exit(boom) end, fun() -> error(boom) end, fun() -> throw(boom) end],
        Options <- [fun(_) -> [] end, fun(Me) -> [recorder(3, fun echo/2, Me)] end]],
    Https = public_key:pkix_verify_hostname_match_fun(https),
    [same(Config, client, Chain, fun(_) -> [{customize_hostname_check, [{match_fun, Https}]}] end)
     || Chain <- [good, other_host]],
    [same(Config, client, Chain,
          fun(Me) -> [{customize_hostname_check, [{fqdn_fun, fun(Ref) -> Me ! {call, Ref}, Result end}]}] end)
     || Chain <- [good, other_host], Result <- [default, undefined, "example.org"]].

%% C02: called for every chain, the root's side first.
partial_chains(Config) ->
    Pick = fun(Me, Which) ->
               fun(Ders) ->
                   Me ! {call, Ders},
                   case Which of
                       none -> unknown_ca;
                       other -> {trusted_ca, <<1, 2, 3>>};
                       N when N =< length(Ders) -> {trusted_ca, lists:nth(N, Ders)};
                       _ -> unknown_ca
                   end
               end
           end,
    [same(Config, client, Chain, fun(Me) -> [{partial_chain, Pick(Me, Which)} | Options(Me)] end)
     || Chain <- ?CHAINS:names(), Which <- [none, other, 1, 2],
        Options <- [fun(_) -> [] end, fun(Me) -> [recorder(3, fun accept/2, Me)] end]].

failing_partial_chains(Config) ->
    [same(Config, client, Chain, fun(_) -> [{partial_chain, fun(_) -> How() end}] end)
     || Chain <- [good, unknown_ca],
        How <- [fun() -> exit(boom) end, fun() -> error(boom) end, fun() -> throw(boom) end,
                fun() -> nonsense end]].

%% verify_none with a fun of the user's asks it all the same.
without_verification(Config) ->
    [same(Config, client, Chain, fun(Me) -> [{verify, verify_none}, recorder(3, Answer, Me)] end)
     || Chain <- [good, expired, unknown_ca, other_host], Answer <- [fun accept/2, fun echo/2]].

%% One fun sleeps, and fifty handshakes go by.
waits_for_nobody(Config) ->
    Me = self(),
    #{chain := _} = Chain = ?CHAINS:make(good),
    {L, Port} = listen(ssl, Config, ?CHAINS:options(Chain)),
    Server = spawn_link(fun() -> serve(ssl, L) end),
    Connect = fun(Fun) -> connect(ssl_port, Config, Port, Chain, [{verify_fun, {Fun, []}}]) end,
    Sleeper = spawn_monitor(fun() ->
        exit(Connect(fun(_, valid_peer, S) -> Me ! {asleep, self()}, receive wake -> {valid, S} end;
                        (_, _, S) -> {valid, S}
                     end))
    end),
    Asleep = receive {asleep, Pid} -> Pid after ?TIMEOUT -> error(not_asked) end,
    Others = [spawn_monitor(fun() -> exit(Connect(fun(_, _, S) -> {valid, S} end)) end)
              || _ <- lists:seq(1, 50)],
    [{ok, _} = ended(Other) || Other <- Others],
    Asleep ! wake,
    {ok, _} = ended(Sleeper),
    unlink(Server),
    exit(Server, kill),
    ok = ssl:close(L).

%% A fun that never returns is bounded by the timeout of its handshake, and its process ends.
never_returns(Config) ->
    Me = self(),
    Chain = ?CHAINS:make(good),
    {L, Port} = listen(ssl, Config, ?CHAINS:options(Chain)),
    Server = spawn_link(fun() -> serve(ssl, L) end),
    Hang = fun(_, _, _) -> Me ! {hangs, self()}, receive never -> ok end end,
    {error, timeout} = connect(ssl_port, Config, Port, Chain, [{verify_fun, {Hang, []}}], 500),
    gone(receive {hangs, First} -> First after ?TIMEOUT -> error(not_asked) end),
    %% The owner dies, which ends its connection.
    Owner = spawn(fun() -> connect(ssl_port, Config, Port, Chain, [{verify_fun, {Hang, []}}], infinity) end),
    Second = receive {hangs, Pid} -> Pid after ?TIMEOUT -> error(not_asked) end,
    exit(Owner, kill),
    gone(Second),
    unlink(Server),
    exit(Server, kill),
    ok = ssl:close(L).

%% What only the BEAM can hold comes back as it was.
states_stay_whole(Config) ->
    Me = self(),
    State = {fun(X) -> X end, make_ref(), self(), #{a => [1.5 | b]}, <<1:3>>},
    Chain = ?CHAINS:make(good),
    {L, Port} = listen(ssl, Config, ?CHAINS:options(Chain)),
    Server = spawn_link(fun() -> serve(ssl, L) end),
    Fun = fun(_, Event, S) -> Me ! {state, Event, S}, {valid, S} end,
    {ok, S} = connect(ssl_port, Config, Port, Chain, [{verify_fun, {Fun, State}}]),
    receive {state, valid_peer, Got} -> ?assertEqual(State, Got) after ?TIMEOUT -> error(not_asked) end,
    ok = ssl_port:close(S),
    unlink(Server),
    exit(Server, kill),
    ok = ssl:close(L).

gone(Pid) ->
    Monitor = monitor(process, Pid),
    receive {'DOWN', Monitor, process, Pid, _} -> ok after ?TIMEOUT -> error({alive, Pid}) end.

ended({Pid, Monitor}) ->
    receive {'DOWN', Monitor, process, Pid, Result} -> Result after ?TIMEOUT -> error(no_end) end.

%% Verify funs.

calls(Role, Config, _Recorder) ->
    [same(Config, Role, Chain, fun(Me) -> [recorder(3, fun accept/2, Me)] end) || Chain <- ?CHAINS:names()].

recorder(Arity, Answer) ->
    recorder(Arity, Answer, self()).

recorder(3, Answer, Me) ->
    {verify_fun, {fun(Cert, Event, State) -> Me ! {call, {Cert, Event, State}}, Answer(Event, State) end, 1}};
recorder(4, Answer, Me) ->
    {verify_fun, {fun(Cert, Der, Event, State) ->
                      Me ! {call, {Cert, Der, Event, State}}, Answer(Event, State)
                  end, 1}}.

accept(_Event, N) -> {valid, N + 1}.

echo({bad_cert, _} = Reason, _N) -> {fail, Reason};
echo({extension, _}, N) -> {unknown, N + 1};
echo(_Event, N) -> {valid, N + 1}.

own({bad_cert, _}, _N) -> {fail, {of_my_own, 1}};
own(Event, N) -> echo(Event, N).

%% Refuses the N-th call.
refuse(N) -> fun(_Event, M) when M =:= N -> {fail, not_that_one};
                (_Event, M) -> {valid, M + 1}
             end.

answer(When, Event, nonsense, N) -> case kind(Event) of When -> nonsense; _ -> {valid, N + 1} end;
answer(When, Event, Answer, N) -> case kind(Event) of When -> {Answer, N + 1}; _ -> {valid, N + 1} end.

fail(When, How) ->
    fun(Event, N) -> case kind(Event) of When -> How(); _ -> {valid, N + 1} end end.

kind({Kind, _}) -> Kind;
kind(Kind) -> Kind.

%% Judging one chain by both.

same(Config, Role, Name, Options) ->
    Chain = ?CHAINS:make(Name),
    [Expected, Got] = [judge(Module, Config, Role, Chain, Options) || Module <- [ssl, ssl_port]],
    case Got =:= Expected of
        true -> ok;
        false -> ct:log(99, "~p as ~p~nssl:      ~0p~nssl_port: ~0p~n", [Name, Role, brief(Expected), brief(Got)]),
                 put(differences, [{Name, Role} | undef_empty(get(differences))])
    end.

undef_empty(undefined) -> [];
undef_empty(L) -> L.

brief({Calls, Judge, Peer}) -> {[brief_call(C) || C <- Calls], Judge, Peer}.

brief_call({Cert, Event, State}) -> {erlang:phash2(Cert), Event, State};
brief_call({Cert, Der, Event, State}) -> {erlang:phash2(Cert), erlang:phash2(Der), Event, State};
brief_call(Other) -> Other.

end_per_testcase(_Case, _Config) ->
    case undef_empty(erase(differences)) of
        [] -> ok;
        Differences -> {fail, Differences}
    end.

%% {Calls of the fun, what the judge got, what the other end got}.
judge(Module, Config, client, Chain, Options) ->
    {L, Port} = listen(ssl, Config, ?CHAINS:options(Chain)),
    Me = self(),
    {Peer, _} = PeerRun = spawn_monitor(fun() -> exit(accept_one(ssl, L, Me)) end),
    Judge = spawn_monitor(fun() ->
                exit(judged(fun() -> connect(Module, Config, Port, Chain, Options(Me)) end, Module))
            end),
    Judged = ended(Judge),
    Seen = ended(PeerRun),
    ok = ssl:close(L),
    {calls(Peer), Judged, Seen};
judge(Module, Config, server, Chain, Options) ->
    Own = ?CHAINS:make(good),
    Me = self(),
    {L, Port} = listen(Module, Config, [{verify, verify_peer}, {fail_if_no_peer_cert, true},
                                        {cacerts, maps:get(roots, Chain)}
                                        | Options(Me) ++ ?CHAINS:options(Own)]),
    Judge = spawn_monitor(fun() ->
                {ok, T} = Module:transport_accept(L, ?TIMEOUT),
                exit(judged(fun() -> Module:handshake(T, ?TIMEOUT) end, Module))
            end),
    Peer = spawn_monitor(fun() ->
               exit(seen(ssl:connect("localhost", Port,
                                     [{verify, verify_none}, {active, true}, {log_level, none},
                                      {versions, [?config(version, Config)]} | ?CHAINS:options(Chain)],
                                     ?TIMEOUT)))
           end),
    Judged = ended(Judge),
    Seen = ended(Peer),
    ok = Module:close(L),
    {calls(Me), Judged, Seen}.

calls(_) ->
    receive {call, Call} -> [Call | calls(x)] after 0 -> [] end.

judged(Fun, Module) ->
    try Fun() of
        {ok, Socket} ->
            ok = Module:send(Socket, "good"),
            _ = Module:recv(Socket, 0, ?TIMEOUT),
            ok;
        Error ->
            alert(Error)
    catch
        exit:{Reason, _} -> {exit, Reason};
        Class:Reason -> {Class, Reason}
    end.

%% What the other end gets: data, or the way it ended.
seen({ok, Socket}) ->
    Seen = receive
        {ssl, Socket, _Data} -> ok;
        {ssl_error, Socket, Reason} -> alert({error, Reason});
        {ssl_closed, Socket} -> {error, closed}
    after ?TIMEOUT -> {error, timeout}
    end,
    _ = ssl:close(Socket),
    Seen;
seen(Error) ->
    alert(Error).

accept_one(Module, L, _Me) ->
    {ok, T} = Module:transport_accept(L, ?TIMEOUT),
    case Module:handshake(T, ?TIMEOUT) of
        {ok, Socket} -> ok = Module:setopts(Socket, [{active, true}]), seen({ok, Socket});
        Error -> alert(Error)
    end.

listen(Module, Config, Options) ->
    {ok, L} = Module:listen(0, [{versions, [?config(version, Config)]}, {reuseaddr, true}, {active, false},
                                {ip, {127, 0, 0, 1}}, {log_level, none} | Options]),
    {ok, {_, Port}} = Module:sockname(L),
    {L, Port}.

connect(Module, Config, Port, Chain, Options) ->
    connect(Module, Config, Port, Chain, Options, ?TIMEOUT).

connect(Module, Config, Port, #{roots := Roots}, Options, Timeout) ->
    Module:connect("localhost", Port,
                   [{verify, verify_peer}, {cacerts, Roots}, {versions, [?config(version, Config)]},
                    {active, false}, {log_level, none} | Options], Timeout).

serve(Module, L) ->
    {ok, T} = Module:transport_accept(L),
    Pid = spawn(fun() ->
              receive go -> ok end,
              case Module:handshake(T, ?TIMEOUT) of
                  {ok, S} -> Module:recv(S, 0, ?TIMEOUT);
                  _ -> ok
              end
          end),
    ok = Module:controlling_process(T, Pid),
    Pid ! go,
    serve(Module, L).
