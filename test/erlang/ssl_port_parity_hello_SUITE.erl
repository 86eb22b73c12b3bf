%% Parity of the pause at the hello (A-F02, R53, C10), and of servers with several names
%% (A-O34, C04, R52, N-O11).
-module(ssl_port_parity_hello_SUITE).

-include_lib("public_key/include/public_key.hrl").

-import(ssl_port_parity, [same/2, same/3, seen/1]).
-import(ssl_port_test_lib, [pair/3, listen/2, close/1]).
-include("ssl_port_parity.hrl").

init_per_suite(Config) ->
    ssl_port_parity:init_per_suite(Config, []).

%% A client's call and a server's handshake at the same time. Both are funs of a socket or of
%% the port; the server's is run by a process that lives until both are done.
both(#{s := S} = Cfg, ServerOptions, Server, Client) ->
    {L, Port} = listen(Cfg, [{active, false}, {mode, binary} | ServerOptions]),
    Me = self(),
    Pid = spawn_link(fun() ->
                             {ok, T} = S:transport_accept(L, 10000),
                             Me ! {server, self(), Server(T)},
                             receive done -> ok end
                     end),
    OfClient = Client(Port),
    OfServer = receive {server, Pid, Result} -> Result after 20000 -> none end,
    Pid ! done,
    ok = S:close(L),
    {OfServer, OfClient}.

connect(#{c := C, client := Certs, versions := Versions}, Port, Options) ->
    C:connect("localhost", Port,
              [{versions, Versions}, {active, false}, {mode, binary}, {log_level, none},
               {verify, verify_peer} | Certs] ++ Options, 10000).

%% The result without the socket: what was told of the hello, or the error.
paused({ok, Socket, Extensions}) when is_tuple(Socket), is_map(Extensions) -> Extensions;
paused(Other) -> Other.

%% Bytes of a share are new each time.
shares(#{key_share := Shares} = Extensions) when is_list(Shares) ->
    Extensions#{key_share := [{E, G, byte_size(K)} || {E, G, K} <- Shares]};
shares(#{key_share := {E, G, K}} = Extensions) ->
    Extensions#{key_share := {E, G, byte_size(K)}};
shares(Extensions) ->
    Extensions.

%% What a server sees of the same client, and a client of the same server: the other side is
%% always ssl, so that the bytes are the same.
sees(Versions, ClientOptions, ServerOptions, Config) ->
    Cfg0 = maps:merge(proplists:get_value(certificates, Config), #{versions => Versions}),
    [begin
         Cfg = Cfg0#{c => C, s => S},
         {OfServer, OfClient} =
             both(Cfg, [{handshake, Hs} || Hs <- [hello], Paused =:= server] ++ ServerOptions,
                  fun(T) -> pass(S, S:handshake(T, 10000)) end,
                  fun(Port) ->
                          pass(C, connect(Cfg, Port, [{handshake, Hs} || Hs <- [hello], Paused =:= client]
                                          ++ ClientOptions))
                  end),
         case Paused of server -> OfServer; client -> OfClient end
     end || {Paused, C, S} <- [{server, ssl, ssl}, {server, ssl, ssl_port},
                               {client, ssl, ssl}, {client, ssl_port, ssl}]].

%% Goes on, and says what there was to see.
pass(Module, {ok, Socket, Extensions}) ->
    case Module:handshake_continue(Socket, [], 10000) of
        {ok, Again} -> {Again =:= Socket, shares(Extensions)};
        Error -> {ssl_port_test_lib:alert(Error), shares(Extensions)}
    end;
pass(_Module, Other) ->
    element(1, Other).

%% R53
case_extensions(Config) ->
    Srp = [{ciphers, ssl:filter_cipher_suites(ssl:cipher_suites(anonymous, 'tlsv1.2'),
                                              [{key_exchange, fun(K) -> K =:= srp_anon end}])}],
    Cases = [{['tlsv1.3'], [], []},
             {['tlsv1.2'], [], []},
             {['tlsv1.1'], [], []},
             {[tlsv1], [], []},
             {['tlsv1.3', 'tlsv1.2'], [], []},
             {['tlsv1.3', 'tlsv1.2'], [], [{versions, ['tlsv1.2']}]},
             {['tlsv1.3', 'tlsv1.2'], [{versions, ['tlsv1.2']}], []},
             {['tlsv1.3'], [{alpn_advertised_protocols, [<<"h2">>, <<"http/1.1">>]}],
              [{alpn_preferred_protocols, [<<"h2">>]}]},
             {['tlsv1.2'], [{alpn_advertised_protocols, [<<"h2">>, <<"http/1.1">>]}],
              [{alpn_preferred_protocols, [<<"h2">>]}]},
             {['tlsv1.2'], [{server_name_indication, disable}, {signature_algs, [{sha256, ecdsa}]},
                            {eccs, [secp256r1]}], []},
             {['tlsv1.3'], [{server_name_indication, disable}, {supported_groups, [secp256r1]},
                            {signature_algs_cert, [ecdsa_secp256r1_sha256]}], []},
             {['tlsv1.2'], [{client_preferred_next_protocols, {client, [<<"a">>]}}],
              [{next_protocols_advertised, [<<"a">>, <<"b">>]}]},
             {['tlsv1.2'], [{max_fragment_length, 1024}], []},
             {['tlsv1.3'], [{max_fragment_length, 1024}], []},
             {['tlsv1.2'], [{srp_identity, {"user", "secret"}} | Srp],
              [{user_lookup_fun, {fun(srp, _, _) ->
                                          Salt = <<1:128>>,
                                          {ok, {srp_1024, Salt,
                                                crypto:hash(sha, [Salt, crypto:hash(sha, <<"user:secret">>)])}}
                                  end, undefined}} | Srp]}],
    lists:foreach(
      fun({Versions, ClientOptions, ServerOptions} = Case) ->
              Client = sees(Versions, ClientOptions, ServerOptions, Config),
              [Expected, Got, ExpectedOfClient, GotOfClient] = Client,
              [ct:fail({Case, ssl, Theirs, ssl_port, Ours})
               || {Theirs, Ours} <- [{Expected, Got}, {ExpectedOfClient, GotOfClient}],
                  Theirs =/= Ours],
              true = is_tuple(Expected),
              true = is_tuple(ExpectedOfClient)
      end, Cases).

%% A-F02: what is given when the handshake goes on holds.
case_continue_with_options(Config) ->
    same(Config, fun(#{c := C, s := S} = Cfg) ->
        {{A, OfServer}, {B, OfClient}} =
            both(Cfg, [{handshake, hello}],
                 fun(T) ->
                         {ok, H, #{alpn := Alpn}} = S:handshake(T, 10000),
                         {ok, X} = S:handshake_continue(H, [{alpn_preferred_protocols, [<<"b">>]}], 10000),
                         {Alpn, [S:negotiated_protocol(X), X =:= H, S:send(X, "hello")]}
                 end,
                 fun(Port) ->
                         {ok, H, _} = connect(Cfg, Port, [{handshake, hello},
                                                          {alpn_advertised_protocols, [<<"a">>, <<"b">>]}]),
                         {ok, X} = C:handshake_continue(H, []),
                         {X =:= H, [C:negotiated_protocol(X), C:recv(X, 5, 5000)]}
                 end),
        [{server_sees, A}, {of_server, OfServer}, {client_sees, B}, {of_client, OfClient}]
    end).

%% A-F02: with bad options the handshake is over. (The process of OTP 25 crashes.)
case_continue_with_bad_options(Config) ->
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => ['tlsv1.3'], c => ssl_port, s => ssl_port}),
    {[{error, {options, {verify, foo}}}, {error, closed}, {error, closed}],
     {error, {tls_alert, {user_canceled, _}}}} =
        both(Cfg, [{handshake, hello}],
             fun(T) ->
                     {ok, H, _} = ssl_port:handshake(T, 10000),
                     [ssl_port:handshake_continue(H, [{verify, foo}], 10000),
                      ssl_port:recv(H, 0, 5000), ssl_port:handshake_continue(H, [], 10000)]
             end,
             fun(Port) -> connect(Cfg, Port, []) end).

%% A-F02, R53
case_cancel(Config) ->
    same(Config, fun(#{c := C, s := S} = Cfg) ->
        {OfServer, OfClient} =
            both(Cfg, [{handshake, hello}],
                 fun(T) ->
                         {ok, H, _} = S:handshake(T, 10000),
                         [S:handshake_cancel(H), S:handshake_continue(H, [], 5000), S:send(H, "x")]
                 end,
                 fun(Port) -> connect(Cfg, Port, []) end),
        {ServerSees, ClientCancels} =
            both(Cfg, [], fun(T) -> S:handshake(T, 10000) end,
                 fun(Port) ->
                         {ok, H, _} = connect(Cfg, Port, [{handshake, hello}]),
                         [C:handshake_cancel(H), C:recv(H, 0, 1000)]
                 end),
        [{of_server, OfServer}, {of_client, OfClient}, {server_sees, ServerSees},
         {client_cancels, ClientCancels}]
    end).

%% C10: the time limit of the call that came to the pause goes on.
case_pause_has_an_end(Config) ->
    same(Config, ['tlsv1.3'], fun(#{s := S} = Cfg) ->
        {OfServer, _} =
            both(Cfg, [{handshake, hello}],
                 fun(T) ->
                         {ok, H, _} = S:handshake(T, 4000),
                         timer:sleep(5000),
                         S:handshake_continue(H, [], 5000)
                 end,
                 fun(Port) -> connect(Cfg, Port, []) end),
        OfServer
    end).

%% C10: whoever owns a paused handshake takes it along.
case_owner_dies_in_pause(Config) ->
    same(Config, fun(#{s := S} = Cfg) ->
        {L, Port} = listen(Cfg, [{active, false}, {handshake, hello}]),
        _ = spawn(fun() ->
                          {ok, T} = S:transport_accept(L, 10000),
                          {ok, _, _} = S:handshake(T, 10000)
                  end),
        Seen = element(1, connect(Cfg, Port, [])),
        ok = S:close(L),
        Seen
    end).

%% A handshake that is not paused cannot be gone on with.
case_not_paused(Config) ->
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => ['tlsv1.3'], c => ssl_port, s => ssl_port}),
    #{client_socket := A, server_socket := B} = P = pair(Cfg, [], []),
    [{error, einval} = ssl_port:handshake_continue(X, [], 1000) || X <- [A, B]],
    [{error, einval} = ssl_port:handshake_cancel(X) || X <- [A, B]],
    ok = ssl_port:send(A, "alive"),
    {ok, <<"alive">>} = ssl_port:recv(B, 5, 5000),
    close(P),
    [{error, closed} = ssl_port:handshake_continue(X, [], 1000) || X <- [A, B]],
    {error, function_clause} = seen(fun() -> ssl_port:handshake_continue(A, foo, 1000) end),
    {error, function_clause} = seen(fun() -> ssl_port:handshake_continue(A, [], foo) end).

%% Names.

%% Whose certificate the client got, and what else the name decided.
served(Cfg, ServerOptions, Name, More) ->
    #{c := C, s := S, versions := [Version | _]} = Cfg,
    {OfServer, OfClient} =
        both(Cfg, ServerOptions,
             fun(T) ->
                     case S:handshake(T, 10000) of
                         {ok, X} ->
                             {ok, Items} = S:connection_information(X, [sni_hostname, protocol]),
                             lists:sort(Items);
                         Error -> Error
                     end
             end,
             fun(Port) ->
                     case connect(Cfg, Port, [{server_name_indication, Name}, {verify, verify_none},
                                              {alpn_advertised_protocols, [<<"a">>, <<"b">>]} | More]) of
                         {ok, X} ->
                             {ok, Der} = C:peercert(X),
                             Protocol = C:negotiated_protocol(X),
                             {ok, [{protocol, Spoken}]} = C:connection_information(X, [protocol]),
                             ok = C:close(X),
                             {whose(Der, Cfg), Protocol, Spoken};
                         Error -> Error
                     end
             end),
    [{{server, Name, Version}, OfServer}, {{client, Name, Version}, OfClient}].

whose(Der, #{server := Certs}) ->
    case {proplists:get_value(cert, Certs), proplists:get_value(cert, other())} of
        {Der, _} -> own;
        {_, Der} -> other
    end.

other() ->
    case persistent_term:get(?MODULE, undefined) of
        undefined ->
            #{server := Other} = ssl_port_test_lib:certificates(),
            persistent_term:put(?MODULE, Other),
            Other;
        Other -> Other
    end.

%% A-O34
case_sni_hosts(Config) ->
    Hosts = [{"a.example", other()},
             {"b.example", [{alpn_preferred_protocols, [<<"b">>]}]},
             {"c.example", [{verify, verify_peer}, {fail_if_no_peer_cert, true}]},
             {"none.example", []}],
    same(Config, fun(Cfg) ->
        Options = [{sni_hosts, Hosts}, {alpn_preferred_protocols, [<<"a">>]}],
        lists:append([served(Cfg, Options, Name, [])
                      || Name <- ["a.example", "b.example", "c.example", "none.example", "d.example",
                                  disable]])
    end).

%% A-O34, C04
case_sni_fun(Config) ->
    Fun = fun("a.example") -> other();
             ("b.example") -> [{alpn_preferred_protocols, [<<"b">>]}];
             ("c.example") -> [{ciphers, []} | other()];
             ("none.example") -> [];
             (_) -> undefined
          end,
    same(Config, fun(Cfg) ->
        Options = [{sni_fun, Fun}, {alpn_preferred_protocols, [<<"a">>]}],
        lists:append([served(Cfg, Options, Name, [])
                      || Name <- ["a.example", "b.example", "c.example", "none.example", "d.example",
                                  disable]])
    end).

%% C04: the certificate can come by name alone; nothing is missing before the name is there.
case_sni_certificate(Config) ->
    Server = [{versions, ['tlsv1.2']}, {active, false}, {log_level, none}],
    same(Config, ['tlsv1.2'], fun(#{s := S} = Cfg) ->
        [begin
             {ok, L} = S:listen(0, Server ++ Names),
             {ok, {_, Port}} = S:sockname(L),
             Me = self(),
             Pid = spawn_link(fun() ->
                                      {ok, T} = S:transport_accept(L, 10000),
                                      Me ! {self(), element(1, S:handshake(T, 10000))},
                                      receive done -> ok end
                              end),
             Client = connect(Cfg, Port, [{server_name_indication, "a.example"}, {verify, verify_none}]),
             Shaken = receive {Pid, Result} -> Result after 20000 -> none end,
             Pid ! done,
             ok = S:close(L),
             {Shaken, element(1, Client)}
         end || Names <- [[{sni_fun, fun("a.example") -> other() end}],
                          [{sni_hosts, [{"a.example", other()}]}]]]
    end).

%% C04: the versions can be others too.
case_sni_versions(Config) ->
    same(Config, ['tlsv1.3', 'tlsv1.2'], fun(Cfg) ->
        Options = [{sni_hosts, [{"old.example", [{versions, ['tlsv1.2']}]},
                                {"new.example", [{versions, ['tlsv1.3']}]}]}],
        lists:append([served(Cfg, Options, Name, []) || Name <- ["old.example", "new.example", "x.example"]])
    end).

%% R52
case_sni_refused(Config) ->
    same(Config, fun(Cfg) ->
        served(Cfg, [{alpn_preferred_protocols, [<<"a">>]}], "a.example.", [])
            ++ served(Cfg, [{alpn_preferred_protocols, [<<"a">>]}, {sni_hosts, [{"a.example.", []}]}],
                      "a.example.", [])
    end).

%% N-O11: since OTP 27 a fun may refuse the name, and bad options from it are handshake_failure.
case_sni_since_27(Config) ->
    Fun = fun("unrecognized.example") -> unrecognized;
             ("bad.example") -> [{verify, foo}];
             ("worse.example") -> [{verify_fun, {fun(_, _, S) -> {valid, S} end, []}}, foo];
             ("file.example") -> [{dhfile, "/nonexistent"}];
             ("term.example") -> foo
          end,
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => ['tlsv1.3'], c => ssl_port, s => ssl_port}),
    lists:foreach(
      fun({Name, Alert}) ->
              [{_, {error, {tls_alert, {Alert, _}}}}, {_, {error, {tls_alert, {Alert, _}}}}] =
                  served(Cfg, [{sni_fun, Fun}], Name, [])
      end,
      [{"unrecognized.example", unrecognized_name}, {"bad.example", handshake_failure},
       {"worse.example", handshake_failure}, {"file.example", handshake_failure},
       {"term.example", handshake_failure}]).

%% Funs in the options of a name are called as any others.
case_funs_of_a_name(Config) ->
    Me = self(),
    Lookup = {fun(psk, Identity, State) -> Me ! {asked, Identity, State}, {ok, <<1:128>>} end, state},
    Suites = ssl:filter_cipher_suites(ssl:cipher_suites(anonymous, 'tlsv1.2'),
                                      [{key_exchange, fun(K) -> K =:= psk end}]),
    Named = [{user_lookup_fun, Lookup}, {ciphers, Suites}],
    Cfg = maps:merge(proplists:get_value(certificates, Config),
                     #{versions => ['tlsv1.2'], c => ssl_port, s => ssl_port}),
    lists:foreach(
      fun(Option) ->
              {OfServer, OfClient} =
                  both(Cfg, [Option],
                       fun(T) -> element(1, ssl_port:handshake(T, 10000)) end,
                       fun(Port) ->
                               element(1, connect(Cfg, Port,
                                                  [{server_name_indication, "psk.example"},
                                                   {psk_identity, "me"}, {ciphers, Suites},
                                                   {verify, verify_none},
                                                   {user_lookup_fun,
                                                    {fun(psk, _, _) -> {ok, <<1:128>>} end, undefined}}]))
                       end),
              {ok, ok} = {OfServer, OfClient},
              receive {asked, <<"me">>, state} -> ok after 5000 -> ct:fail(not_asked) end
      end,
      [{sni_hosts, [{"psk.example", Named}]}, {sni_fun, fun("psk.example") -> Named end}]).
