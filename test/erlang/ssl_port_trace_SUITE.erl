%% ssl_port:trace/2 and ssl_port:explain/1,2 over handshakes with peers of other implementations: OpenSSL's
%% programs and OTP's ssl.
-module(ssl_port_trace_SUITE).

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [pair/1, pair/3, close/1, eventually/1]).

suite() ->
    [{timetrap, {seconds, 120}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 2}]),
    Ec = ssl_port_test_lib:certificates(),
    Rsa = ssl_port_test_lib:certificates({rsa, 2048, 65537}),
    [{before, Before}, {ec, Ec}, {rsa, Rsa} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

cfg(Config, C, S, Versions) ->
    maps:merge(proplists:get_value(ec, Config), #{c => C, s => S, versions => Versions}).

certs(Config, Kind, Side) ->
    maps:get(Side, proplists:get_value(Kind, Config)).

%% A trace of the next connection of any kind.
traced(Options) ->
    {ok, Tracer} = ssl_port:trace(all, maps:merge(#{to => self()}, Options)),
    Tracer.

%% The steps up to the last one that is wanted.
steps(Tracer, Is) ->
    receive
        {ssl_port_trace, Tracer, {done, _}} -> [];
        {ssl_port_trace, Tracer, Step} ->
            case Is(Step) of
                true -> [Step];
                false -> [Step | steps(Tracer, Is)]
            end
    after 20000 -> ct:fail(no_more_steps)
    end.

established(Tracer) -> steps(Tracer, fun(#{kind := Kind}) -> Kind =:= established end).
closed(Tracer) -> steps(Tracer, fun(#{kind := Kind}) -> Kind =:= closed end).

names(Steps) -> [{Direction, Name} || #{direction := Direction, kind := handshake, name := Name} <- Steps].

decision(Name, Steps) ->
    [Fields | _] = [Fields || #{kind := decision, name := N, fields := Fields} <- Steps, N =:= Name],
    maps:from_list(Fields).

field(Name, Message, Steps) ->
    [Fields | _] = [Fields || #{kind := handshake, name := N, fields := Fields} <- Steps, N =:= Message],
    proplists:get_value(Name, Fields).

extension(Name, Message, Steps) ->
    proplists:get_value(Name, field(extensions, Message, Steps)).

%% Handshakes.

case_tls13_with_ssl(Config) ->
    Tracer = traced(#{role => client}),
    P = #{client_socket := Socket} = pair(cfg(Config, ssl_port, ssl, ['tlsv1.3'])),
    Steps = established(Tracer),
    [{sent, client_hello}, {received, server_hello}, {received, encrypted_extensions},
     {received, certificate}, {received, certificate_verify}, {received, finished}, {sent, finished}] =
        names(Steps),
    #{chosen := 'tlsv1.3'} = decision(version, Steps),
    {ok, #{suite := Suite}} = ssl_port:info(Socket),
    #{chosen := Suite, passed_over := Others} = decision(cipher_suite, Steps),
    true = lists:member(not_taken, [Reason || {_, Reason} <- Others]),
    ['tlsv1.3'] = extension(supported_versions, client_hello, Steps),
    [Socket] = lists:usort([S || #{socket := S} <- Steps]),
    Times = [Time || #{time := Time} <- Steps],
    true = Times =:= lists:sort(Times) andalso lists:last(Times) > 0,
    close(P),
    [#{kind := closed} | _] = lists:reverse(closed(Tracer)),
    receive {ssl_port_trace, Tracer, {done, done}} -> ok end.

case_tls12_as_server(Config) ->
    Tracer = traced(#{role => server}),
    P = pair(cfg(Config, ssl, ssl_port, ['tlsv1.2'])),
    Steps = established(Tracer),
    [{received, client_hello}, {sent, server_hello}, {sent, certificate}, {sent, server_key_exchange},
     {sent, server_hello_done}, {received, client_key_exchange}, {received, finished}, {sent, finished}] =
        [Name || Name <- names(Steps), Name =/= {sent, new_session_ticket}],
    #{chosen := 'tlsv1.2', passed_over := []} = decision(version, Steps),
    #{chosen := 1} = decision(certificate, Steps),
    #{chosen := Group} = decision(group, Steps),
    Group = field(group, server_key_exchange, Steps),
    #{chosen := Scheme} = decision(signature_scheme, Steps),
    Scheme = field(algorithm, server_key_exchange, Steps),
    close(P).

case_retry_by_openssl(Config) ->
    {Server, Port} = s_server(Config, ["-tls1_3", "-groups", "P-384"]),
    Tracer = traced(#{}),
    {ok, S} = ssl_port:connect("localhost", Port, [{versions, ['tlsv1.3']}, {verify, verify_none},
                                                   {supported_groups, [x25519, secp384r1]}], 20000),
    Steps = established(Tracer),
    [{sent, client_hello}, {received, hello_retry_request}, {sent, client_hello},
     {received, server_hello} | _] = names(Steps),
    secp384r1 = extension(key_share, hello_retry_request, Steps),
    #{chosen := secp384r1, passed_over := Others} = decision(group, Steps),
    not_taken = proplists:get_value(x25519, Others),
    {ok, #{reason := not_taken, chosen := secp384r1}} = ssl_port:explain(S, {group, x25519}),
    ok = ssl_port:close(S),
    kill(Server).

case_retry_of_openssl(Config) ->
    {ok, L} = ssl_port:listen(0, [{reuseaddr, true}, {ip, {127, 0, 0, 1}}, {versions, ['tlsv1.3']},
                                  {supported_groups, [secp384r1]} | certs(Config, ec, server)]),
    {ok, Tracer} = ssl_port:trace(L, #{to => self()}),
    Client = s_client(L, ["-tls1_3", "-groups", "X25519:P-384"]),
    {ok, T} = ssl_port:transport_accept(L, 20000),
    {ok, S} = ssl_port:handshake(T, 20000),
    Steps = established(Tracer),
    [{received, client_hello}, {sent, hello_retry_request}, {received, client_hello},
     {sent, server_hello} | _] = names(Steps),
    #{chosen := secp384r1, passed_over := [{x25519, not_enabled}]} = decision(group, Steps),
    ok = ssl_port:close(S),
    ok = ssl_port:close(L),
    gone(Client).

%% s_client drops its connection and comes back with the session of it.
case_resumption_of_openssl(Config) ->
    {L, _} = listener(Config, [{versions, ['tlsv1.2']}, {active, true}]),
    {ok, Tracer} = ssl_port:trace(L, #{to => self(), count => 2}),
    Client = s_client(L, ["-tls1_2", "-reconnect"]),
    [First, Second] = [begin
                           {ok, T} = ssl_port:transport_accept(L, 20000),
                           {ok, S} = ssl_port:handshake(T, 20000),
                           [Step || #{socket := Of} = Step <- established(Tracer), Of =:= S]
                       end || _ <- [1, 2]],
    #{chosen := full, peer := not_offered} = decision(resumption, First),
    #{chosen := resumed, peer := offered} = decision(resumption, Second),
    true = lists:member({sent, certificate}, names(First)),
    false = lists:member({sent, certificate}, names(Second)),
    #{chosen := none, passed_over := [{1, resumed}]} =
        maps:with([chosen, passed_over], explained(Second)),
    ok = ssl_port:close(L),
    kill(Client).

explained([#{socket := S} | _]) ->
    {ok, #{certificate := Certificate}} = ssl_port:explain(S),
    Certificate.

case_psk_of_tls13(Config) ->
    Cfg = cfg(Config, ssl_port, ssl_port, ['tlsv1.3']),
    Tickets = [{session_tickets, stateless}],
    P = #{listener := L, port := Port} = pair(Cfg, [{session_tickets, manual}, {active, true}], Tickets),
    Ticket = receive {ssl, session_ticket, #{ticket := _} = T} -> T after 20000 -> ct:fail(no_ticket) end,
    Tracer = traced(#{role => server}),
    Server = in_background(fun() ->
                                   {ok, A} = ssl_port:transport_accept(L, 20000),
                                   {ok, S} = ssl_port:handshake(A, 20000),
                                   ssl_port:explain(S)
                           end),
    {ok, B} = ssl_port:connect("localhost", Port,
                               [{versions, ['tlsv1.3']}, {session_tickets, manual}, {use_ticket, [Ticket]},
                                {verify, verify_peer}, {log_level, none} | certs(Config, ec, client)], 20000),
    {ok, #{resumption := #{chosen := resumed, peer := offered}}} = result(Server),
    Steps = established(Tracer),
    #{chosen := resumed} = decision(resumption, Steps),
    [{bytes, _} | _] = extension(pre_shared_key, client_hello, Steps),
    {selected, 0} = extension(pre_shared_key, server_hello, Steps),
    ok = ssl_port:close(B),
    close(P).

%% Failures.

case_no_shared_suite(Config) ->
    {L, Port} = listener(Config, [{versions, ['tlsv1.2']}, {ciphers, ["ECDHE-ECDSA-AES256-GCM-SHA384"]}]),
    {ok, Tracer} = ssl_port:trace(L, #{to => self()}),
    Client = in_background(fun() ->
                                   ssl:connect("localhost", Port,
                                               [{versions, ['tlsv1.2']}, {verify, verify_none}, {log_level, none},
                                                {ciphers, ["ECDHE-ECDSA-AES128-GCM-SHA256"]}], 20000)
                           end),
    {ok, T} = ssl_port:transport_accept(L, 20000),
    {error, {tls_alert, {insufficient_security, _}}} = Error = ssl_port:handshake(T, 20000),
    {error, _} = result(Client),
    Steps = closed(Tracer),
    #{chosen := 'tlsv1.2'} = decision(version, Steps),
    #{chosen := none, passed_over := Others} = decision(cipher_suite, Steps),
    Own = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    Peer = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    not_offered = proplists:get_value(Own, Others),
    not_enabled = proplists:get_value(Peer, Others),
    %% By the error, and by the socket that is no more.
    {ok, #{reason := not_enabled, chosen := none} = Verdict} = ssl_port:explain(Error, {suite, Peer}),
    "cipher_suite " ++ _ = text(Verdict),
    {ok, #{reason := not_offered}} = ssl_port:explain(T, {suite, "ECDHE-ECDSA-AES256-GCM-SHA384"}),
    {ok, #{cipher_suite := #{chosen := none}, failure := #{reason := Reason}}} = ssl_port:explain(Error),
    {error, Reason} = Error,
    ok = ssl_port:close(L).

case_no_shared_version(Config) ->
    {L, Port} = listener(Config, [{versions, ['tlsv1.3']}]),
    Client = in_background(fun() ->
                                   ssl:connect("localhost", Port, [{versions, ['tlsv1.2']}, {verify, verify_none},
                                                                   {log_level, none}], 20000)
                           end),
    {ok, T} = ssl_port:transport_accept(L, 20000),
    {ok, Tracer} = ssl_port:trace(T, #{to => self()}),
    {error, {tls_alert, {protocol_version, _}}} = Error = ssl_port:handshake(T, 20000),
    {error, _} = result(Client),
    Steps = closed(Tracer),
    #{chosen := none, passed_over := Others} = decision(version, Steps),
    not_offered = proplists:get_value('tlsv1.3', Others),
    not_enabled = proplists:get_value('tlsv1.2', Others),
    [{level, fatal} | _] = hd([Fields || #{kind := alert, name := protocol_version, fields := Fields} <- Steps]),
    {ok, #{reason := not_offered}} = ssl_port:explain(Error, {version, 'tlsv1.3'}),
    ok = ssl_port:close(L).

case_unknown_ca(Config) ->
    {L, Port} = listener(Config, []),
    Server = in_background(fun() ->
                                   {ok, T} = ssl_port:transport_accept(L, 20000),
                                   ssl_port:handshake(T, 20000)
                           end),
    Tracer = traced(#{role => client}),
    {error, {tls_alert, {unknown_ca, _}}} = Error =
        ssl_port:connect("localhost", Port, [{verify, verify_peer}, {log_level, none},
                                             {cacerts, cacerts(certs(Config, rsa, client))}], 20000),
    {error, _} = result(Server),
    Steps = closed(Tracer),
    [Fields] = [F || #{kind := alert, direction := sent, name := unknown_ca, fields := F} <- Steps],
    true = length(proplists:get_value(reason, Fields)) > 0,
    {ok, #{version := #{chosen := 'tlsv1.3'}, failure := #{reason := _}}} = ssl_port:explain(Error),
    ok = ssl_port:close(L).

case_certificate_does_not_fit(Config) ->
    {L, Port} = listener(Config, [{versions, ['tlsv1.3']}]),
    Client = in_background(fun() ->
                                   ssl:connect("localhost", Port,
                                               [{versions, ['tlsv1.3']}, {verify, verify_none}, {log_level, none},
                                                {signature_algs, [rsa_pss_rsae_sha256]}], 20000)
                           end),
    {ok, T} = ssl_port:transport_accept(L, 20000),
    {ok, Tracer} = ssl_port:trace(T, #{to => self()}),
    {error, {tls_alert, _}} = Error = ssl_port:handshake(T, 20000),
    {error, _} = result(Client),
    Steps = closed(Tracer),
    #{chosen := none, passed_over := [{1, no_shared_scheme}]} = decision(certificate, Steps),
    {ok, #{reason := no_shared_scheme, chosen := none}} = ssl_port:explain(Error, {certificate, 1}),
    {ok, #{reason := other_key}} = ssl_port:explain(Error, {signature_scheme, rsa_pss_rsae_sha256}),
    {ok, #{reason := not_offered}} =
        ssl_port:explain(Error, {signature_scheme, ecdsa_secp256r1_sha256}),
    ok = ssl_port:close(L).

%% explain/1,2 of a connection that is up.

case_explain(Config) ->
    P = #{server_socket := S, client_socket := C} =
        pair(cfg(Config, ssl_port, ssl_port, ['tlsv1.2', 'tlsv1.3']), [], []),
    {ok, #{role := server, version := #{chosen := 'tlsv1.3', own := ['tlsv1.3', 'tlsv1.2'],
                                        peer := ['tlsv1.3', 'tlsv1.2'],
                                        passed_over := [{'tlsv1.2', older}]},
           cipher_suite := #{chosen := Suite}, certificate := #{chosen := 1}} = Explained} =
        ssl_port:explain(S),
    {ok, #{suite := Suite}} = ssl_port:info(S),
    "as the server\n" ++ _ = text(Explained),
    {ok, #{role := client, cipher_suite := #{chosen := Suite, peer := unknown}}} = ssl_port:explain(C),
    {ok, #{reason := chosen} = Chosen} = ssl_port:explain(S, {suite, Suite}),
    "cipher_suite " ++ _ = text(Chosen),
    [Map | _] = ssl_port:cipher_suites(exclusive, 'tlsv1.2'),
    {ok, #{reason := not_of_version}} = ssl_port:explain(S, {suite, Map}),
    {ok, #{reason := not_enabled}} = ssl_port:explain(S, {version, 'tlsv1.1'}),
    {ok, #{reason := not_asked_for}} = ssl_port:explain(C, {signature_scheme, rsa_pss_rsae_sha256}),
    close(P),
    eventually(fun() -> ssl_port:explain(S) =:= {error, closed} end).

case_explain_refuses_what_is_not_there(Config) ->
    P = #{server_socket := S} = pair(cfg(Config, ssl_port, ssl_port, ['tlsv1.3'])),
    {error, {unknown, "TLS_NOTHING"}} = ssl_port:explain(S, {suite, "TLS_NOTHING"}),
    {error, {unknown, 'tlsv9'}} = ssl_port:explain(S, {version, 'tlsv9'}),
    {error, {unknown, 7}} = ssl_port:explain(S, {certificate, 7}),
    {error, {options, {colour, blue}}} = ssl_port:explain(S, {colour, blue}),
    {error, unknown} = ssl_port:explain({error, nobody_failed_so}),
    {error, unknown} = ssl_port:explain({error, nobody_failed_so}, {version, 'tlsv1.3'}),
    close(P).

%% What a trace brings and when it ends.

case_text(Config) ->
    Me = self(),
    {ok, Tracer} = ssl_port:trace(all, #{to => fun(Text) -> Me ! {text, Text} end, format => text,
                                         role => client}),
    P = pair(cfg(Config, ssl_port, ssl, ['tlsv1.3'])),
    Text = texts(),
    [true = string:find(Text, Part) =/= nomatch
     || Part <- ["-> client_hello", "<- server_hello", "choice of cipher_suite", "passed over",
                 "TLS_AES_256_GCM_SHA384", "supported_groups", "established", " ms  "]],
    close(P),
    ok = ssl_port:trace(Tracer, off).

texts() ->
    receive
        {text, Text} when is_binary(Text) ->
            Chars = unicode:characters_to_list(Text),
            case string:find(Chars, "established") of
                nomatch -> Chars ++ texts();
                _ -> Chars
            end
    after 20000 -> ct:fail(no_text)
    end.

%% Neither the master secret nor the private key, in whatever form.
case_nothing_secret(Config) ->
    [begin
         Tracer = traced(#{count => 2}),
         TextTracer = traced(#{count => 2, format => text}),
         P = #{client_socket := C} = pair(cfg(Config, ssl_port, ssl_port, [Version]),
                                          [{keep_secrets, true}], [{keep_secrets, true}]),
         {ok, Items} = ssl_port:connection_information(C, [master_secret, client_traffic_secret_0, keylog]),
         close(P),
         Terms = everything(Tracer),
         Text = everything(TextTracer),
         Told = iolist_to_binary([term_to_binary(Terms), unicode:characters_to_binary(Text)]),
         Secrets = private_key(certs(Config, ec, server))
             ++ [Secret || {Name, Secret} <- Items, Name =/= keylog, is_binary(Secret)],
         true = length(Secrets) >= 2,
         [begin
              nomatch = binary:match(Told, Secret),
              nomatch = binary:match(Told, hex(Secret))
          end || Secret <- Secrets]
     end || Version <- ['tlsv1.2', 'tlsv1.3']].

hex(Binary) -> iolist_to_binary([io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Binary]).

private_key(Options) ->
    {_, Der} = proplists:get_value(key, Options),
    Key = public_key:der_decode(element(1, proplists:get_value(key, Options)), Der),
    [element(3, Key), Der].

everything(Tracer) ->
    receive
        {ssl_port_trace, Tracer, {done, _}} -> [];
        {ssl_port_trace, Tracer, Told} -> [Told | everything(Tracer)]
    after 20000 -> ct:fail(not_done)
    end.

case_off(Config) ->
    P = #{client_socket := C} = pair(cfg(Config, ssl_port, ssl, ['tlsv1.3'])),
    {ok, Tracer} = ssl_port:trace(C, #{to => self()}),
    ok = ssl_port:update_keys(C, write),
    [#{name := key_update, direction := sent}] =
        steps(Tracer, fun(#{name := Name}) -> Name =:= key_update end),
    ok = ssl_port:trace(C, off),
    _ = everything(Tracer),
    eventually(fun() -> not is_process_alive(Tracer) end),
    ok = ssl_port:trace(all, off),
    close(P).

case_ends_with_its_receiver(Config) ->
    P = #{client_socket := C} = pair(cfg(Config, ssl_port, ssl, ['tlsv1.3'])),
    {Pid, Monitor} = spawn_monitor(fun() -> receive stop -> ok end end),
    {ok, Tracer} = ssl_port:trace(C, #{to => Pid}),
    {ok, All} = ssl_port:trace(all, #{to => Pid}),
    Pid ! stop,
    receive {'DOWN', Monitor, process, Pid, _} -> ok end,
    [eventually(fun() -> not is_process_alive(One) end) || One <- [Tracer, All]],
    %% The programs follow nobody any more.
    eventually(fun() -> untraced(C) end),
    close(P).

untraced({sslsocket, {_, _, ssl_port, {Id, _, Port}}, [_, Worker]}) ->
    {ok, []} =:= ssl_port_worker:call(Worker, Port, Id, {untrace, all})
        andalso {ok, []} =:= ssl_port_worker:call(Worker, Port, 0, {untrace, all}).

%% Who does not take what it is sent hears how much it has missed.
case_slow_receiver(Config) ->
    Me = self(),
    Slow = spawn_link(fun() -> receive go -> relay(Me) end end),
    [Slow ! junk || _ <- lists:seq(1, 10001)],
    {ok, Tracer} = ssl_port:trace(all, #{to => Slow, role => client}),
    P = #{client_socket := C} = pair(cfg(Config, ssl_port, ssl, ['tlsv1.3'])),
    eventually(fun() -> {message_queue_len, 0} =:= process_info(Tracer, message_queue_len) end),
    Slow ! go,
    eventually(fun() -> {message_queue_len, 0} =:= process_info(Slow, message_queue_len) end),
    ok = ssl_port:update_keys(C, write),
    [#{dropped := Dropped} | _] =
        steps(Tracer, fun(Step) -> maps:get(name, Step, none) =:= key_update end),
    true = Dropped >= 5,
    close(P).

relay(To) ->
    receive
        junk -> relay(To);
        Told -> To ! Told, relay(To)
    end.

%% A fun that fails ends its trace and nothing else.
case_fun_that_fails(Config) ->
    {ok, Tracer} = ssl_port:trace(all, #{to => fun(_) -> exit(failed) end, role => client}),
    P = #{client_socket := C, server_socket := S} = pair(cfg(Config, ssl_port, ssl, ['tlsv1.3'])),
    eventually(fun() -> not is_process_alive(Tracer) end),
    eventually(fun() -> untraced(C) end),
    ok = ssl_port:send(C, <<"fine">>),
    {ok, <<"fine">>} = ssl:recv(S, 4, 20000),
    close(P).

case_ends_when_its_time_is_up(_Config) ->
    {ok, Tracer} = ssl_port:trace(all, #{to => self(), time => 10}),
    receive {ssl_port_trace, Tracer, {done, time}} -> ok end.

case_ends_with_the_listener(Config) ->
    {L, _} = listener(Config, []),
    {ok, Tracer} = ssl_port:trace(L, #{to => self(), count => 5}),
    ok = ssl_port:close(L),
    receive {ssl_port_trace, Tracer, {done, closed}} -> ok end,
    {error, closed} = ssl_port:trace(L, #{to => self()}).

case_counts_connections(Config) ->
    Tracer = traced(#{count => 2, role => client}),
    [close(pair(cfg(Config, ssl_port, ssl, ['tlsv1.3']))) || _ <- [1, 2, 3]],
    Steps = everything(Tracer),
    2 = length([1 || #{kind := established} <- Steps]),
    2 = length(lists:usort([Socket || #{socket := Socket} <- Steps])).

case_refuses_bad_options(_Config) ->
    {error, {options, {count, 0}}} = ssl_port:trace(all, #{count => 0}),
    {error, {options, {to, nobody}}} = ssl_port:trace(all, #{to => nobody}),
    {error, {options, {colour, blue}}} = ssl_port:trace(all, #{colour => blue}),
    {error, {options, {format, html}}} = ssl_port:trace(all, #{format => html}).

%% Help.

listener(Config, Options) ->
    {ok, L} = ssl_port:listen(0, [{reuseaddr, true}, {ip, {127, 0, 0, 1}}, {log_level, none}
                                  | Options ++ certs(Config, ec, server)]),
    {ok, {_, Port}} = ssl_port:sockname(L),
    {L, Port}.

cacerts(Options) -> proplists:get_value(cacerts, Options).

text(Term) -> unicode:characters_to_list(ssl_port_trace:format(Term)).

in_background(Fun) ->
    Me = self(),
    spawn_link(fun() -> Me ! {self(), Fun()} end).

result(Pid) ->
    receive {Pid, Result} -> Result after 30000 -> ct:fail(no_result) end.

s_client(L, Args) ->
    {ok, {_, Port}} = ssl_port:sockname(L),
    program(["s_client", "-connect", "127.0.0.1:" ++ integer_to_list(Port) | Args]).

%% OpenSSL's server on a port that it has chosen.
s_server(Config, Args) ->
    Dir = proplists:get_value(priv_dir, Config),
    Options = certs(Config, ec, server),
    {Type, Key} = proplists:get_value(key, Options),
    File = filename:join(Dir, "server.pem"),
    Pem = [{'Certificate', proplists:get_value(cert, Options), not_encrypted}, {Type, Key, not_encrypted}],
    ok = file:write_file(File, public_key:pem_encode(Pem)),
    Port = program(["s_server", "-accept", "127.0.0.1:0", "-cert", File, "-key", File | Args]),
    {Port, accepting(Port, <<>>)}.

accepting(Port, Acc) ->
    case re:run(Acc, "ACCEPT 127\\.0\\.0\\.1:(\\d+)", [{capture, all_but_first, list}]) of
        {match, [Number]} -> list_to_integer(Number);
        nomatch ->
            receive {Port, {data, Data}} -> accepting(Port, <<Acc/binary, Data/binary>>)
            after 20000 -> ct:fail({no_server, Acc})
            end
    end.

program(Args) ->
    open_port({spawn_executable, os:find_executable("openssl")},
              [{args, Args}, binary, use_stdio, stderr_to_stdout, exit_status]).

%% s_server does not end with its standard input.
kill(Port) ->
    case erlang:port_info(Port, os_pid) of
        {os_pid, Pid} ->
            _ = os:cmd("kill " ++ integer_to_list(Pid)),
            gone(Port);
        undefined ->
            ok
    end.

gone(Port) ->
    receive {Port, {exit_status, _}} -> ok; {Port, {data, _}} -> gone(Port)
    after 20000 -> ct:fail(still_running)
    end.
