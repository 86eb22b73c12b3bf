%% Parity of late alerts (N-O12, P22): a client of TLS 1.3 has connected before its server has seen the
%% client's certificate, and hears of the refusal by what it calls next.
-module(ssl_port_parity_late_SUITE).

-include_lib("common_test/include/ct.hrl").

-import(ssl_port_test_lib, [alert/1]).
-include("ssl_port_parity.hrl").

init_per_suite(Config) ->
    ssl_port_parity:init_per_suite(Config, []).

%% A recv that waits hears why, and the next call only that it is over.
case_recv_waits(Config) ->
    late(Config, [{active, false}], fun(C, S, _Refused) -> [receive_twice(C, S)] end).

receive_twice(C, S) ->
    {alert(C:recv(S, 0, 10000)), C:recv(S, 0, 10000), C:send(S, "x")}.

%% An active owner gets the reason as a message, and nothing behind it.
case_active(Config) ->
    [late(Config, [{active, Active}], fun(C, S, _Refused) -> [{heard(S), C:send(S, "x"), C:setopts(S, [{active, once}])}] end)
     || Active <- [true, once, 1]].

%% When the alert stands before the call, OTP 25 gives it or `closed', as its processes are scheduled; ssl_port
%% keeps it for whoever asks for data first, in every profile.
case_kept(Config) ->
    [begin
         kept(Config, Profile, fun receive_twice/2, {{error, Reason}, {error, closed}, {error, closed}}),
         %% N-O12: setopts tells it where it stands already, a message where it comes behind; once in any case.
         [kept(Config, Profile, fun(C, S) -> {told(C:setopts(S, [{active, Active}]), S), C:setopts(S, [{active, Active}])} end,
               {Reason, {error, closed}}) || Active <- [true, once, 2]],
         kept(Config, Profile,
              fun(C, S) -> {C:getopts(S, [active]), C:connection_information(S, [protocol]), C:close(S)} end,
              {{ok, [{active, false}]}, {ok, [{protocol, 'tlsv1.3'}]}, ok})
     end || {Profile, Reason} <- [{otp25, {tls_alert, handshake_failure}}, {otp26, {tls_alert, handshake_failure}},
                                  {r16, {tls_alert, "handshake failure"}}]].

kept(Config, Profile, Body, Expected) ->
    Certificates = ?config(certificates, Config),
    [Expected = proplists:get_value(client, refused(Certificates#{c => ssl_port, s => S}, [{active, false}, {profile, Profile}],
                                                    fun(C, Socket, Refused) -> Refused(), [Body(C, Socket)] end))
     || S <- [ssl, ssl_port]].

told({error, _} = Error, Socket) ->
    [] = heard(Socket, 200),
    element(2, alert(Error));
told(ok, Socket) ->
    [{ssl_error, Reason}] = heard(Socket),
    Reason.

late(Config, Options, Body) ->
    ssl_port_parity:same(Config, ['tlsv1.3'], fun(Cfg) -> refused(Cfg, Options, Body) end).

refused(#{c := C, s := S, client := Client, server := Server}, Options, Body) ->
    Refuse = fun(_, {extension, _}, State) -> {unknown, State};
                (_, _, _) -> timer:sleep(400), {fail, refused}
             end,
    {ok, L} = S:listen(0, [{versions, ['tlsv1.3']}, {active, false}, {log_level, none}, {verify, verify_peer},
                           {fail_if_no_peer_cert, true}, {verify_fun, {Refuse, []}}, {ip, {127, 0, 0, 1}} | Server]),
    {ok, {_, Port}} = S:sockname(L),
    Me = self(),
    spawn_link(fun() ->
                       {ok, T} = S:transport_accept(L, 10000),
                       Me ! {refused, alert(S:handshake(T, 10000))},
                       receive done -> ok end
               end),
    {ok, Socket} = C:connect("localhost", Port, [{versions, ['tlsv1.3']}, {log_level, none}, {verify, verify_peer}
                                                 | Options ++ Client], 10000),
    Refused = fun() -> receive {refused, Error} -> self() ! {refused, Error} end, timer:sleep(200) end,
    Seen = Body(C, Socket, Refused),
    ok = C:close(Socket),
    ok = S:close(L),
    receive {refused, Error} -> [{server, Error} | labelled(Seen)] end.

labelled(Seen) ->
    [case Entry of {Label, _} when is_atom(Label) -> Entry; _ -> {client, Entry} end || Entry <- Seen].

%% The messages about a socket: the first, and whatever is right behind it.
heard(Socket) ->
    heard(Socket, 10000).

heard(Socket, Patience) ->
    receive
        {ssl_error, Socket, Reason} -> [{ssl_error, alert(Reason)} | heard(Socket, 200)];
        {Tag, Socket} -> [Tag | heard(Socket, 200)];
        {ssl, Socket, Data} -> [Data | heard(Socket, 200)]
    after Patience -> []
    end.
