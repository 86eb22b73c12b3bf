%% Own keys and certificates: passwords, keys held by funs, the choice among several identities,
%% what a listener reads anew, and the words for chains that are refused. What is given to ssl_port
%% is given to ssl too where OTP 25 has it, and the answers are compared; ssl is at the other end.
-module(ssl_port_keys_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [openssl/1, accepts/1]).

-define(CHAINS, ssl_port_test_chains).
-define(TIMEOUT, 30000).
-define(PASSWORD, "correct h\344st").

suite() ->
    [{timetrap, {minutes, 5}}].

all() ->
    [{group, passwords}, {group, signing_funs}, {group, choices}, {group, listeners}, {group, words}].

groups() ->
    [{passwords, [], [passwords, password_funs, failing_password_funs, password_fun_is_asked_once,
                      password_funs_by_name, password_fun_waits_alone]},
     {signing_funs, [], [signing_funs, signing_funs_of_bare_digests, signing_funs_in_certs_keys, signing_calls,
                         failing_signing_funs, signing_fun_waits_alone, late_signature,
                         wrong_signing_keys]},
     {listeners, [], [mismatch_at_listen, reload_files, reload_of_broken_files, reload_options, reload_asks_for_passwords,
                      reload_names, peer_chains]},
     {words, [], [words_of_bad_paths]},
     {choices, [], [identities_in_order, refused_signatures, rsa_chain_of_pkcs1, unnamed_authorities]}].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([]),
    [{before, Before} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(?config(before, Config)).

%% C07: whatever iodata says the password, in both containers.
passwords(Config) ->
    [?assertEqual(ok, talk(Role, ssl_port, [{password, Password} | Files]))
     || Files <- encrypted_files(Config), Role <- [client, server],
        Password <- [?PASSWORD, list_to_binary(?PASSWORD), ["correct", <<" ">>, ["h\344", [$s, $t]]]]].

password_funs(Config) ->
    [?assertEqual({Role, Module, ok}, {Role, Module, talk(Role, Module, [{password, fun() -> Password end} | Files])})
     || Files <- encrypted_files(Config), Module <- [ssl, ssl_port], Role <- [client, server],
        Password <- [?PASSWORD, list_to_binary(?PASSWORD)],
        %% OTP 25 opens no traditional container with a binary.
        Module =:= ssl_port orelse is_list(Password)],
    [?assertEqual(ok, talk(server, ssl_port, [{certs_keys, [maps:from_list([{password, fun() -> ?PASSWORD end} | Files])]}]))
     || Files <- encrypted_files(Config)].

%% What is wrong with the password or its fun is told as ssl tells it.
failing_password_funs(Config) ->
    [begin
         [Expected, Got] = [wrong(talk(Role, Module, [{password, Fun} | Files])) || Module <- [ssl, ssl_port]],
         ?assertEqual({Role, Expected}, {Role, Got})
     end
     || Files <- encrypted_files(Config), Role <- [client, server],
        Fun <- ["wrong", fun() -> "wrong" end, fun() -> hello end, fun() -> error(boom) end,
                fun() -> exit(boom) end, fun() -> throw(boom) end]].

%% The reason behind {error, {options, {keyfile, File, _}}} is each implementation's own.
wrong({error, {options, {keyfile, File, {error, _}}}}) -> {keyfile, filename:basename(File)};
%% What is no iodata fails where the container happens to look at it.
wrong({error, {keyfile, Reason}}) when Reason =:= badarg; Reason =:= function_clause -> {keyfile, badarg};
wrong(Other) -> Other.

%% Nobody is asked for the password of a key that needs none, or of one that has been read.
password_fun_is_asked_once(Config) ->
    Me = self(),
    Ask = fun() -> Me ! asked, ?PASSWORD end,
    [Files | _] = encrypted_files(Config),
    {L, Port} = listen([{password, Ask} | Files]),
    Server = spawn_link(fun() -> serve(L) end),
    [?assertEqual(ok, ask(ssl:connect("localhost", Port, client([]), ?TIMEOUT), ssl)) || _ <- [1, 2, 3]],
    ?assertEqual(1, asked()),
    ok = ssl_port:clear_pem_cache(),
    stop(Server, L),
    ?assertEqual(ok, talk(server, ssl_port, [{password, Ask} | plain_files(Config)])),
    ?assertEqual(0, asked()).

asked() ->
    receive asked -> 1 + asked() after 0 -> 0 end.

%% The names of a server may have encrypted keys of their own.
password_funs_by_name(Config) ->
    [Files | _] = encrypted_files(Config),
    Own = [{password, fun() -> ?PASSWORD end} | Files],
    Bad = [{password, fun() -> error(boom) end} | Files],
    [begin
         {L, Port} = listen([By(Named) | plain_files(Config)]),
         Server = spawn_link(fun() -> serve(L) end),
         Got = ask(ssl:connect("localhost", Port, client([]), ?TIMEOUT), ssl),
         stop(Server, L),
         ?assertMatch({Expected, _}, {alert(Got), Got})
     end
     || By <- [fun(Named) -> {sni_hosts, [{"localhost", Named}]} end,
               fun(Named) -> {sni_fun, fun(_) -> Named end} end],
        {Named, Expected} <- [{Own, ok}, {Bad, handshake_failure}]].

alert({error, {tls_alert, {Alert, _}}}) -> Alert;
alert(Other) -> Other.

%% A fun that never returns holds up its own handshake, until that is given up.
password_fun_waits_alone(Config) ->
    Me = self(),
    [Files | _] = encrypted_files(Config),
    {L, Port} = listen(plain_files(Config)),
    Server = spawn_link(fun() -> serve(L) end),
    Hang = fun() -> Me ! {hangs, self()}, receive never -> ok end end,
    Waiting = spawn_monitor(fun() ->
        exit(ssl_port:connect("localhost", Port, client([{password, Hang} | Files]), 3000))
    end),
    Hanging = receive {hangs, Pid} -> Pid after ?TIMEOUT -> error(not_asked) end,
    [?assertEqual(ok, ask(ssl_port:connect("localhost", Port, client([]), ?TIMEOUT), ssl_port))
     || _ <- lists:seq(1, 5)],
    ?assertEqual({error, timeout}, ended(Waiting)),
    gone(Hanging),
    stop(Server, L).

%% C08, N-O08: every kind of key signs by a fun, in each version, on each side, against ssl and openssl.
signing_funs(_Config) ->
    [begin
         {Cert, Key, Held} = held(Kind),
         [?assertEqual({Kind, Role, Version, Peer, ok},
                       {Kind, Role, Version, Peer,
                        signed(Peer, Role, Version, Cert, Key, [{cert, Cert}, {key, Held}])})
          || Role <- [client, server], Peer <- [openssl, ssl],
             %% OTP 25 takes no such key from OpenSSL.
             {Kind, Role, Peer} =/= {rsa_pss_pss, client, ssl}]
     end
     || {Kind, Versions} <- [{rsa, ['tlsv1.2', 'tlsv1.3']}, {ecdsa, ['tlsv1.2', 'tlsv1.3']},
                             {eddsa, ['tlsv1.3']}, {rsa_pss_pss, ['tlsv1.2', 'tlsv1.3']}],
        Version <- Versions].

%% Before TLS 1.2 RSA encrypts two digests, and ECDSA gets its digest made.
signing_funs_of_bare_digests(_Config) ->
    [begin
         {Cert, Key, Held} = held(Kind),
         [?assertEqual({Kind, Role, Version, ok},
                       {Kind, Role, Version, signed(ssl, Role, Version, Cert, Key, [{cert, Cert}, {key, Held}])})
          || Role <- [client, server]]
     end
     || Kind <- [rsa, ecdsa], Version <- ['tlsv1', 'tlsv1.1']],
    %% Without encrypt_fun there is no certificate for those versions.
    {Cert, Key, Held} = held(rsa),
    ?assertMatch({error, {tls_alert, {_, _}}},
                 signed(ssl, server, 'tlsv1.1', Cert, Key, [{cert, Cert}, {key, maps:remove(encrypt_fun, Held)}])).

signing_funs_in_certs_keys(_Config) ->
    {RsaCert, RsaKey, RsaHeld} = held(rsa),
    {EcCert, _, EcHeld} = held(ecdsa),
    Both = [{certs_keys, [#{cert => RsaCert, key => RsaHeld}, #{cert => EcCert, key => EcHeld}]}],
    [?assertEqual(ok, signed(ssl, server, Version, RsaCert, RsaKey, Both)) || Version <- ['tlsv1.2', 'tlsv1.3']].

%% What the funs are called with.
signing_calls(_Config) ->
    Me = self(),
    Told = fun(Version) ->
               {Cert, Key, #{sign_fun := Sign, encrypt_fun := Encrypt} = Held} = held(rsa),
               Recording = Held#{sign_fun := fun(Data, Hash, Options) ->
                                                 Me ! {sign, Data, Hash, Options}, Sign(Data, Hash, Options)
                                             end,
                                 sign_opts => [{custom, 1}],
                                 encrypt_fun := fun(Data, Options) ->
                                                    Me ! {encrypt, Data, Options}, Encrypt(Data, Options)
                                                end,
                                 encrypt_opts => [{custom, 2}]},
               ok = signed(ssl, server, Version, Cert, Key, [{cert, Cert}, {key, Recording}]),
               receive Call -> Call after ?TIMEOUT -> error(not_called) end
           end,
    {sign, Data13, Hash, Options13} = Told('tlsv1.3'),
    <<"TLS 1.3, server CertificateVerify", 0, _/binary>> = binary:part(Data13, 64, byte_size(Data13) - 64),
    ?assertEqual([{rsa_padding, rsa_pkcs1_pss_padding}, {rsa_pss_saltlen, -1}, {rsa_mgf1_md, Hash}, {custom, 1}],
                 Options13),
    ?assertMatch({encrypt, <<_:36/binary>>, [{rsa_padding, rsa_pkcs1_padding}, {custom, 2}]}, Told('tlsv1')).

%% Whatever a fun does, it ends its own handshake, the reason says why, and the next one is made.
failing_signing_funs(_Config) ->
    {Cert, Key, #{sign_fun := Sign} = Held} = held(rsa),
    [begin
         Own = [{cert, Cert}, {key, Held#{sign_fun := Fun}}],
         {error, {tls_alert, {internal_error, Text}}} = signed(ssl, Role, Version, Cert, Key, Own),
         ?assertMatch({Text, Words, [_ | _]}, {Text, Words, string:find(Text, Words)})
     end
     || Role <- [client, server], Version <- ['tlsv1.2', 'tlsv1.3'],
        {Fun, Words} <- [{fun(_, _, _) -> error(hsm_gone) end, "sign_fun failed: hsm_gone"},
                         {fun(_, _, _) -> exit(hsm_gone) end, "sign_fun failed: hsm_gone"},
                         {fun(_, _, _) -> throw(hsm_gone) end, "sign_fun failed: hsm_gone"},
                         {fun(_, _, _) -> exit(self(), kill), receive never -> ok end end, "sign_fun failed: killed"},
                         {fun(_, _, _) -> nonsense end, "sign_fun gave no binary"},
                         {fun(_, _, _) -> <<1, 2, 3>> end, "signature by the key of the certificate"},
                         {fun(D, H, O) -> Sign(<<D/binary, 1>>, H, O) end, "signature by the key of the certificate"}]].

%% Other handshakes of the listener do not wait for a fun that hangs, and its own is given up.
signing_fun_waits_alone(_Config) ->
    Me = self(),
    {Cert, _Key, #{sign_fun := Sign} = Held} = held(rsa),
    First = atomics:new(1, []),
    Fun = fun(D, H, O) ->
              case atomics:add_get(First, 1, 1) of
                  1 -> Me ! {hangs, self()}, receive never -> ok end;
                  _ -> Sign(D, H, O)
              end
          end,
    {L, Port} = listen([{cert, Cert}, {key, Held#{sign_fun := Fun}}]),
    Server = spawn_link(fun() -> serve(L) end),
    Waiting = spawn_monitor(fun() -> exit(ssl:connect("localhost", Port, client([]), 3000)) end),
    Hanging = receive {hangs, Pid} -> Pid after ?TIMEOUT -> error(not_asked) end,
    [?assertEqual(ok, ask(ssl:connect("localhost", Port, client([]), ?TIMEOUT), ssl)) || _ <- lists:seq(1, 5)],
    ?assertEqual({error, timeout}, ended(Waiting)),
    stop(Server, L),
    gone(Hanging).

%% RFC 8446 §4.6.2: the signature is asked for while data goes both ways, and stands in no message's way.
late_signature(_Config) ->
    Me = self(),
    {Cert, _Key, #{sign_fun := Sign} = Held} = held(ecdsa),
    Slow = fun(D, H, O) -> Me ! {signs, self()}, receive go -> Sign(D, H, O) end end,
    Server = [{post_handshake_auth, true}, {verify, verify_peer}, {cacerts, [Cert]}, {versions, ['tlsv1.3']},
              {verify_fun, {fun(_, _, S) -> {valid, S} end, []}}],
    {L, Port} = listen(Server ++ [{cert, Cert}, {key, Held}]),
    {Pid, _} = Run = spawn_monitor(fun() ->
        {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
        {ok, S} = ssl_port:handshake(T, ?TIMEOUT),
        Asked = spawn_monitor(fun() -> exit(ssl_port:request_certificate(S)) end),
        {ok, "sent meanwhile"} = ssl_port:recv(S, 14, ?TIMEOUT),
        ok = ended(Asked),
        exit(ssl_port:peercert(S))
    end),
    {ok, C} = ssl_port:connect("localhost", Port, client([{post_handshake_auth, true}, {versions, ['tlsv1.3']},
                                                          {cert, Cert}, {key, Held#{sign_fun := Slow}}]), ?TIMEOUT),
    Reader = spawn_link(fun() -> ssl_port:recv(C, 0, ?TIMEOUT) end),
    Signer = receive {signs, S} -> S after ?TIMEOUT -> error({not_asked, Pid}) end,
    ok = ssl_port:send(C, "sent meanwhile"),
    Signer ! go,
    ?assertEqual({ok, Cert}, ended(Run)),
    unlink(Reader),
    ok = ssl_port:close(C),
    ok = ssl_port:close(L).

%% Maps that are no keys, that are keys of other certificates, and those that only ssl can use.
wrong_signing_keys(_Config) ->
    {Cert, _, #{sign_fun := Sign} = Held} = held(rsa),
    {EcCert, _, _} = held(ecdsa),
    Connect = fun(Own) -> ssl_port:connect("localhost", 1, client(Own), 1000) end,
    [?assertEqual({error, {options, {key, Bad}}}, Connect([{cert, Cert}, {key, Bad}]))
     || Bad <- [#{algorithm => rsa}, #{sign_fun => Sign}, #{algorithm => rsa, sign_fun => fun() -> ok end},
                #{algorithm => ecdsa, encrypt_fun => fun(_, _) -> ok end},
                #{algorithm => poetry, sign_fun => Sign}, Held#{more => 1}, Held#{sign_opts => x}]],
    ?assertEqual({error, {options, {key_does_not_match_certificate, {cert, "CN=localhost"}, key}}},
                 ssl_port:listen(0, [{cert, EcCert}, {key, Held}])),
    Engine = #{algorithm => rsa, engine => make_ref(), key_id => <<"id">>},
    ?assertEqual({error, {options, {not_supported, {key, Engine}}}}, Connect([{cert, Cert}, {key, Engine}])),
    ?assertMatch({error, {options, {not_supported, {certs_keys, [#{key := Engine}]}}}},
                 Connect([{certs_keys, [#{cert => Cert, key => Engine}]}])).

%% A-O03: OTP's order, whatever order they are given in, among those that the peer can use.
identities_in_order(_Config) ->
    All = [{Kind, Cert, Key} || Kind <- [rsa, ecdsa, eddsa, rsa_pss_pss], {Cert, Key, _} <- [held(Kind)]],
    Own = [{certs_keys, [#{cert => Cert, key => Key} || {_, Cert, Key} <- All]}],
    Chosen = fun(Options) ->
                 {L, Port} = listen(Own),
                 Server = spawn_link(fun() -> serve(L) end),
                 {ok, S} = ssl:connect("localhost", Port, client(Options), ?TIMEOUT),
                 {ok, Cert} = ssl:peercert(S),
                 ok = ssl:close(S),
                 stop(Server, L),
                 element(1, lists:keyfind(Cert, 2, All))
             end,
    ?assertEqual(eddsa, Chosen([{versions, ['tlsv1.3']}, {signature_algs, [rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256, eddsa_ed25519]}])),
    ?assertEqual(ecdsa, Chosen([{versions, ['tlsv1.3']}, {signature_algs, [rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256]}])),
    ?assertEqual(rsa_pss_pss, Chosen([{versions, ['tlsv1.3']}, {signature_algs, [rsa_pss_rsae_sha256, rsa_pss_pss_sha256]}])),
    ?assertEqual(rsa, Chosen([{versions, ['tlsv1.3']}, {signature_algs, [rsa_pss_rsae_sha256]}])).

%% Every certificate below the root is held against signature_algs_cert, or else signature_algs, from TLS 1.2 on.
refused_signatures(_Config) ->
    #{roots := Roots} = Chain = ?CHAINS:make(good),
    [begin
         {L, Port} = listen(Other, ?CHAINS:options(Chain)),
         Server = spawn_link(fun() -> serve(Other, L) end),
         Results = [alert(ask(Module:connect("localhost", Port,
                                             [{versions, [Version]}, {verify, verify_peer}, {cacerts, Roots},
                                              {active, false}, {log_level, none} | Options], ?TIMEOUT), Module))
                    || Module <- Modules],
         stop(Server, Other, L),
         ?assertEqual({Version, Options, [Expected || _ <- Modules]}, {Version, Options, Results})
     end
     %% In TLS 1.2 OTP 25 does not know its schemes of ECDSA again, and its server refuses before it sends.
     || {Version, Modules, Other} <- [{'tlsv1.2', [ssl_port], ssl_port}, {'tlsv1.3', [ssl, ssl_port], ssl}],
        {Options, Expected} <- [{[{signature_algs_cert, [ecdsa_secp256r1_sha256]}], ok},
                                {[{signature_algs_cert, [ecdsa_secp384r1_sha384, rsa_pkcs1_sha256]}], bad_certificate}]].

%% A scheme of rsa_pss_rsae also stands for PKCS #1 v1.5 with its hash in certificates, as in ssl.
rsa_chain_of_pkcs1(_Config) ->
    Key = [{digest, sha256}, {key, {rsa, 2048, 65537}}],
    Chain = #{root => Key, intermediates => [Key], peer => Key},
    #{server_config := Own, client_config := Peers} =
        public_key:pkix_test_data(#{server_chain => Chain, client_chain => Chain}),
    Roots = proplists:get_value(cacerts, Peers),
    [begin
         {L, Port} = listen(ssl, [{versions, [Version]} | Own]),
         Server = spawn_link(fun() -> serve(ssl, L) end),
         Results = [alert(ask(Module:connect("localhost", Port,
                                             [{versions, [Version]}, {verify, verify_peer}, {cacerts, Roots},
                                              {customize_hostname_check, [{match_fun, fun(_, _) -> true end}]},
                                              {signature_algs, [rsa_pss_rsae_sha256]}, {active, false},
                                              {log_level, none}], ?TIMEOUT), Module))
                    || Module <- [ssl, ssl_port]],
         stop(Server, ssl, L),
         ?assertEqual({Version, [ok, ok]}, {Version, Results})
     end
     || Version <- ['tlsv1.2', 'tlsv1.3']].

%% A client of TLS 1.3 shows no chain that the server did not ask for, and an older one does.
unnamed_authorities(_Config) ->
    Good = ?CHAINS:make(good),
    Other = ?CHAINS:make(good),
    [begin
         %% The server's word: the alert may come too late for a client of TLS 1.3.
         Results = [begin
                        {L, Port} = listen(ssl, [{certificate_authorities, Named} || Named =/= none]
                                                ++ [{versions, [Version]}, {verify, verify_peer},
                                                    {fail_if_no_peer_cert, true}, {cacerts, maps:get(roots, Good)},
                                                    {verify_fun, {fun(_, _, S) -> {valid, S} end, []}}
                                                    | ?CHAINS:options(Good)]),
                        Server = spawn_monitor(fun() -> exit(serve_one(ssl, L)) end),
                        _ = ask(Module:connect("localhost", Port,
                                               client([{versions, [Version]} | ?CHAINS:options(Other)]), ?TIMEOUT),
                                Module),
                        Result = alert(ended(Server)),
                        ok = ssl:close(L),
                        Result
                    end || Module <- [ssl, ssl_port]],
         ?assertEqual({Version, Named, [Expected, Expected]}, {Version, Named, Results})
     end
     || {Version, Named, Expected} <- [{'tlsv1.3', true, certificate_required}, {'tlsv1.3', false, ok},
                                       {'tlsv1.2', none, ok}]].

%% A key that is not the certificate's is refused by listen, and by connect.
mismatch_at_listen(Config) ->
    [[{certfile, Cert} | _], [_, {keyfile, Key}]] = [plain_files(Config) || _ <- [1, 2]],
    Bad = [{certfile, Cert}, {keyfile, Key}],
    Expected = {error, {options, {key_does_not_match_certificate, {certfile, Cert}, {keyfile, Key}}}},
    [begin
         ?assertEqual(Expected, ssl_port:listen(0, Options ++ Below)),
         ?assertEqual(Expected, ssl_port:listen(0, Options ++ Below))
     end
     || Options <- [Bad, [{certs_keys, [maps:from_list(Bad)]}],
                    [{sni_hosts, [{"localhost", Bad}]} | plain_files(Config)]],
        Below <- [[], [{transport, inet}]]],
    {L, Port} = listen(plain_files(Config)),
    Server = spawn_link(fun() -> serve(L) end),
    ?assertEqual(Expected, ssl_port:connect("localhost", Port, client(Bad), ?TIMEOUT)),
    stop(Server, L).

%% New files under the old names are in use from the call on; what is up stays up.
reload_files(Config) ->
    [{certfile, Certfile}, {keyfile, Keyfile}] = Files = plain_files(Config),
    [{certfile, NewCert}, {keyfile, NewKey}] = plain_files(Config),
    {L, Port} = listen(Files),
    Server = spawn_link(fun() -> serve(L) end),
    Before = own_certificate(Port),
    {ok, Up} = ssl:connect("localhost", Port, client([]), ?TIMEOUT),
    {ok, _} = file:copy(NewCert, Certfile),
    {ok, _} = file:copy(NewKey, Keyfile),
    ?assertEqual(ok, ssl_port:reload(L)),
    After = own_certificate(Port),
    ?assertNotEqual(Before, After),
    ?assertEqual(After, first_certificate(NewCert)),
    ?assertEqual(ok, ask({ok, Up}, ssl)),
    ?assertEqual({error, enotsup}, ssl_port:reload(ssl_port_connection_of(Port))),
    stop(Server, L),
    ?assertEqual({error, closed}, ssl_port:reload(L)).

ssl_port_connection_of(Port) ->
    {ok, S} = ssl_port:connect("localhost", Port, client([]), ?TIMEOUT),
    S.

%% What cannot be used is told, and the former certificate serves on, until good files come.
reload_of_broken_files(Config) ->
    [{certfile, Certfile}, {keyfile, Keyfile}] = Files = plain_files(Config),
    {ok, Key} = file:read_file(Keyfile),
    [{certfile, OtherCert}, {keyfile, OtherKey}] = plain_files(Config),
    {L, Port} = listen(Files),
    Server = spawn_link(fun() -> serve(L) end),
    Before = own_certificate(Port),
    [begin
         ok = Break(),
         ?assertMatch({error, {options, _}}, ssl_port:reload(L)),
         {error, {options, Reason}} = Error = ssl_port:reload(L),
         ?assertEqual(Expected, element(1, Reason)),
         ct:log("~ts", [ssl_port:format_error(Error)]),
         [?assertEqual(Before, own_certificate(Port)) || _ <- [1, 2]]
     end
     || {Break, Expected} <- [{fun() -> file:write_file(Keyfile, "no key") end, keyfile},
                              {fun() -> file:delete(Keyfile) end, keyfile},
                              {fun() -> element(1, {ok, file:copy(OtherKey, Keyfile)}) end, key_does_not_match_certificate},
                              {fun() -> file:write_file(Certfile, "no certificate") end, certfile}]],
    {ok, _} = file:copy(OtherCert, Certfile),
    ?assertEqual(ok, ssl_port:reload(L)),
    ?assertEqual(first_certificate(OtherCert), own_certificate(Port)),
    ?assertNotEqual(Before, first_certificate(OtherCert)),
    ok = file:write_file(Keyfile, Key),
    stop(Server, L).

%% Options of the call stay, if all is well with them.
reload_options(Config) ->
    Files = plain_files(Config),
    Other = [{certfile, OtherCert} | _] = plain_files(Config),
    {L, Port} = listen(Files),
    Server = spawn_link(fun() -> serve(L) end),
    Before = own_certificate(Port),
    ?assertMatch({error, {options, {certfile, _, {error, enoent}}}}, ssl_port:reload(L, [{certfile, "/none"}])),
    ?assertMatch({error, {options, {verify, 'maybe'}}}, ssl_port:reload(L, [{verify, 'maybe'}])),
    ?assertEqual(Before, own_certificate(Port)),
    ?assertEqual(ok, ssl_port:reload(L, Other)),
    ?assertEqual(first_certificate(OtherCert), own_certificate(Port)),
    ?assertEqual(ok, ssl_port:reload(L)),
    ?assertEqual(first_certificate(OtherCert), own_certificate(Port)),
    {Cert, _Key, Held} = held(rsa),
    ?assertEqual(ok, ssl_port:reload(L, [{cert, Cert}, {key, Held}])),
    ?assertEqual(Cert, own_certificate(Port)),
    stop(Server, L).

reload_asks_for_passwords(Config) ->
    [Files, Other | _] = encrypted_files(Config),
    [{certfile, OtherCert} | _] = Other,
    {L, Port} = listen([{password, fun() -> ?PASSWORD end} | Files]),
    Server = spawn_link(fun() -> serve(L) end),
    ?assertEqual(ok, ssl_port:reload(L)),
    ?assertEqual(ok, ssl_port:reload(L, Other)),
    ?assertEqual(first_certificate(OtherCert), own_certificate(Port)),
    ?assertMatch({error, {keyfile, boom}}, ssl_port:reload(L, [{password, fun() -> error(boom) end}])),
    ?assertEqual(first_certificate(OtherCert), own_certificate(Port)),
    Me = self(),
    Hang = fun() -> Me ! {hangs, self()}, receive never -> ok end end,
    Waiting = spawn_monitor(fun() -> exit(ssl_port:reload(L, [{password, Hang} | Files])) end),
    Hanging = receive {hangs, Pid} -> Pid after ?TIMEOUT -> error(not_asked) end,
    ?assertEqual(first_certificate(OtherCert), own_certificate(Port)),
    stop(Server, L),
    ?assertEqual({error, closed}, ended(Waiting)),
    gone(Hanging).

%% The certificates of names are read anew too.
reload_names(Config) ->
    [{certfile, Certfile}, {keyfile, Keyfile}] = Named = plain_files(Config),
    [{certfile, NewCert}, {keyfile, NewKey}] = plain_files(Config),
    {L, Port} = listen([{sni_hosts, [{"localhost", Named}]} | plain_files(Config)]),
    Server = spawn_link(fun() -> serve(L) end),
    ?assertEqual(first_certificate(Certfile), own_certificate(Port)),
    {ok, _} = file:copy(NewCert, Certfile),
    ?assertMatch({error, {options, {key_does_not_match_certificate, _, _}}}, ssl_port:reload(L)),
    ?assertNotEqual(first_certificate(NewCert), own_certificate(Port)),
    {ok, _} = file:copy(NewKey, Keyfile),
    ?assertEqual(ok, ssl_port:reload(L)),
    ?assertEqual(first_certificate(NewCert), own_certificate(Port)),
    stop(Server, L).

own_certificate(Port) ->
    {ok, S} = ssl:connect("localhost", Port, client([]), ?TIMEOUT),
    {ok, Cert} = ssl:peercert(S),
    ok = ssl:close(S),
    Cert.

first_certificate(File) ->
    {ok, Pem} = file:read_file(File),
    [{'Certificate', Der, _} | _] = public_key:pem_decode(Pem),
    Der.

%% P29: all that the peer sent, its own first.
peer_chains(_Config) ->
    #{chain := Chain} = Deep = ?CHAINS:make(deep),
    [begin
         {L, Port} = listen(ssl, [{versions, [Version]} | ?CHAINS:options(Deep)]),
         Server = spawn_link(fun() -> serve(ssl, L) end),
         {ok, S} = ssl_port:connect("localhost", Port, client([{versions, [Version]}]), ?TIMEOUT),
         ?assertEqual({ok, Chain}, ssl_port:peerchain(S)),
         ?assertEqual({ok, hd(Chain)}, ssl_port:peercert(S)),
         ok = ssl_port:close(S),
         ?assertEqual({error, closed}, ssl_port:peerchain(S)),
         stop(Server, ssl, L)
     end
     || Version <- ['tlsv1.2', 'tlsv1.3']],
    {L, Port} = listen(?CHAINS:options(Deep)),
    ?assertEqual({error, enotconn}, ssl_port:peerchain(L)),
    Client = spawn_monitor(fun() -> exit(ask(ssl:connect("localhost", Port, client([]), ?TIMEOUT), ssl)) end),
    {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
    {ok, S} = ssl_port:handshake(T, ?TIMEOUT),
    ?assertEqual({error, no_peercert}, ssl_port:peerchain(S)),
    {ok, _} = ssl_port:recv(S, 0, ?TIMEOUT),
    ok = ssl_port:send(S, "answer"),
    ok = ended(Client),
    ok = ssl_port:close(S),
    ok = ssl_port:close(L).

%% What is wrong with a chain is told so that somebody can act on it: which certificate, by place and
%% subject, what was found and what should have been.
words_of_bad_paths(_Config) ->
    Missing = [begin
         #{roots := Roots} = Chain = ?CHAINS:make(Name),
         {L, Port} = listen(ssl, ?CHAINS:options(Chain)),
         Server = spawn_link(fun() -> serve(ssl, L) end),
         {error, {tls_alert, {Alert, Text}}} = Error =
             ssl_port:connect("localhost", Port, [{verify, verify_peer}, {cacerts, Roots}, {active, false},
                                                  {log_level, none} | Options], ?TIMEOUT),
         stop(Server, ssl, L),
         ?assertEqual(Text, ssl_port:format_error(Error)),
         ct:log("~p ~ts", [Alert, Text]),
         [{Name, Word, Text} || Word <- Words, string:find(Text, Word) =:= nomatch]
     end
     || {Name, Options, Words} <-
            [{expired, [], ["outside its validity period", "certificate 0 (the peer's own) \"CN=localhost\"", "found ", "expected "]},
             {expired_issuer, [], ["outside its validity period", "certificate 1 (an issuer) \"CN=Authority "]},
             {future, [], ["outside its validity period", "certificate 0 (the peer's own)"]},
             {bad_signature, [], ["does not verify", "certificate 0 (the peer's own) \"CN=localhost\""]},
             {bad_issuer_signature, [], ["no trusted certificate authority", "certificate 1 (an issuer)", "did not sign it"]},
             {unknown_ca, [], ["no trusted certificate authority", "\"CN=Authority "]},
             {selfsigned_peer, [], ["self-signed", "\"CN=localhost\""]},
             {other_host, [], ["not for the name that was asked for", "example.org", "expected ", "localhost"]},
             {no_ca, [], ["not a certificate authority", "certificate 1 (an issuer)"]},
             {ca_without_key_usage, [], ["key usage", "certificate 1 (an issuer)"]},
             {wrong_purpose, [], ["extended key usage", "certificate 0 (the peer's own)"]},
             {unknown_critical, [], ["critical extension", "certificate 0 (the peer's own)", "1.3.6.1.4.1.99999.7"]},
             {too_deep, [], ["more intermediate certificates", "certificate "]},
             {name_not_permitted, [], ["name constraints", "certificate 0 (the peer's own)", "localhost"]},
             {good, [{signature_algs_cert, [rsa_pkcs1_sha256]}],
              ["signature_algs_cert", "certificate 1 (an issuer)", "found ecdsa with sha256", "expected one of rsa_pkcs1_sha256"]}]],
    ?assertEqual([], lists:append(Missing)).

%% A self-signed certificate, its private key, and that key held by funs.
held(Kind) ->
    Dir = string:trim(os:cmd("mktemp -d")),
    Key = filename:join(Dir, "key.pem"),
    Cert = filename:join(Dir, "cert.pem"),
    ok = run(["req", "-x509", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
              "-keyout", Key, "-out", Cert | new_key(Kind)]),
    [Pem] = public_key:pem_decode(element(2, file:read_file(Key))),
    [{'Certificate', Der, _}] = public_key:pem_decode(element(2, file:read_file(Cert))),
    ok = file:del_dir_r(Dir),
    Private = private(Kind, Pem),
    Held = #{algorithm => Kind,
             sign_fun => fun(Data, Hash, Options) ->
                             public_key:sign(Data, Hash, Private, proplists:delete(custom, Options))
                         end},
    Encrypt = fun(Data, Options) -> public_key:encrypt_private(Data, Private, proplists:delete(custom, Options)) end,
    {Der, {element(1, Pem), element(2, Pem)}, case Kind of rsa -> Held#{encrypt_fun => Encrypt}; _ -> Held end}.

new_key(rsa) -> ["-newkey", "rsa:2048", "-sha256"];
new_key(ecdsa) -> ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha256"];
new_key(eddsa) -> ["-newkey", "ed25519"];
new_key(rsa_pss_pss) -> ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-sha256", "-sigopt", "rsa_pss_saltlen:32"].

private(rsa_pss_pss, Pem) ->
    case public_key:pem_entry_decode(Pem) of
        {Rsa, _Params} -> Rsa;
        %% OTP 25 takes no key without parameters apart.
        Info -> public_key:der_decode('RSAPrivateKey', element(4, Info))
    end;
private(_Kind, Pem) ->
    public_key:pem_entry_decode(Pem).

run(Args) ->
    Port = open_port({spawn_executable, os:find_executable("openssl")},
                     [{args, Args}, exit_status, stderr_to_stdout, binary]),
    0 = status(Port),
    ok.

%% One conversation in which ssl_port's side signs by its funs: what that side says of it.
signed(ssl, server, Version, _Cert, _Key, Own) ->
    {L, Port} = listen([{versions, [Version]} | Own]),
    Server = spawn_monitor(fun() -> exit(serve_one(ssl_port, L)) end),
    _ = ask(ssl:connect("localhost", Port, client([{versions, [Version]}]), ?TIMEOUT), ssl),
    Result = ended(Server),
    ok = ssl_port:close(L),
    Result;
signed(ssl, client, Version, Cert, Key, Own) ->
    {L, Port} = listen(ssl, [{versions, [Version]}, {verify, verify_peer}, {fail_if_no_peer_cert, true},
                             {cacerts, [Cert]}, {verify_fun, {fun(_, _, S) -> {valid, S} end, []}},
                             {cert, Cert}, {key, Key}]),
    Server = spawn_link(fun() -> serve(ssl, L) end),
    Result = ask(ssl_port:connect("localhost", Port, client([{versions, [Version]} | Own]), ?TIMEOUT), ssl_port),
    stop(Server, ssl, L),
    Result;
signed(openssl, server, Version, _Cert, _Key, Own) ->
    {L, Port} = listen([{versions, [Version]} | Own]),
    Server = spawn_monitor(fun() -> exit(serve_one(ssl_port, L)) end),
    Peer = openssl(["s_client", "-connect", "127.0.0.1:" ++ integer_to_list(Port), "-quiet", "-no_ign_eof",
                    flag(Version)]),
    true = port_command(Peer, "question\n"),
    ok = said(Peer, <<"answer">>, <<>>),
    true = port_close(Peer),
    Result = ended(Server),
    ok = ssl_port:close(L),
    Result;
signed(openssl, client, Version, Cert, {Type, Der}, Own) ->
    File = string:trim(os:cmd("mktemp")),
    ok = file:write_file(File, public_key:pem_encode([{'Certificate', Cert, not_encrypted}, {Type, Der, not_encrypted}])),
    Peer = openssl(["s_server", "-accept", "127.0.0.1:0", "-Verify", "1", "-verify_return_error", "-CAfile", File,
                    "-cert", File, "-key", File, "-rev", flag(Version)]),
    Port = accepts(Peer),
    {ok, S} = ssl_port:connect("localhost", Port, client([{versions, [Version]} | Own]), ?TIMEOUT),
    ok = ssl_port:send(S, "question\n"),
    Result = case ssl_port:recv(S, 9, ?TIMEOUT) of {ok, "noitseuq\n"} -> ok; Error -> Error end,
    ok = ssl_port:close(S),
    {os_pid, Pid} = erlang:port_info(Peer, os_pid),
    _ = os:cmd("kill " ++ integer_to_list(Pid)),
    _ = status(Peer),
    ok = file:delete(File),
    Result.

flag('tlsv1.2') -> "-tls1_2";
flag('tlsv1.3') -> "-tls1_3".

%% Waits until a program has said it.
said(Peer, What, Before) ->
    receive
        {Peer, {data, Data}} ->
            Text = <<Before/binary, Data/binary>>,
            case binary:match(Text, What) of
                nomatch -> said(Peer, What, Text);
                _ -> ok
            end;
        {Peer, {exit_status, Status}} -> {exit, Status, Before}
    after ?TIMEOUT -> {silent, Before}
    end.

%% Files.

encrypted_files(Config) ->
    [files(Config, Container) || Container <- [traditional, pbes2]].

plain_files(Config) ->
    files(Config, plain).

files(Config, Container) ->
    #{chain := Chain, key := {Type, Der}} = ?CHAINS:make(good),
    Dir = filename:join(?config(priv_dir, Config), integer_to_list(erlang:unique_integer([positive]))),
    ok = file:make_dir(Dir),
    Certfile = filename:join(Dir, "cert.pem"),
    Keyfile = filename:join(Dir, "key.pem"),
    ok = file:write_file(Certfile, public_key:pem_encode([{'Certificate', C, not_encrypted} || C <- Chain])),
    ok = file:write_file(Keyfile, public_key:pem_encode([{Type, Der, not_encrypted}])),
    ok = encrypt(Container, Keyfile),
    [{certfile, Certfile}, {keyfile, Keyfile}].

encrypt(plain, _Keyfile) -> ok;
encrypt(traditional, Keyfile) -> encrypt_by(["ec", "-aes128"], Keyfile);
encrypt(pbes2, Keyfile) -> encrypt_by(["pkcs8", "-topk8", "-v2", "aes-256-cbc"], Keyfile).

encrypt_by(Args, Keyfile) ->
    Out = Keyfile ++ ".new",
    Pass = Keyfile ++ ".pass",
    ok = file:write_file(Pass, ?PASSWORD ++ "\n"),
    ok = run(Args ++ ["-in", Keyfile, "-out", Out, "-passout", "file:" ++ Pass]),
    file:rename(Out, Keyfile).

status(Port) ->
    receive
        {Port, {exit_status, Status}} -> Status;
        {Port, {data, Text}} -> ct:log("~ts", [Text]), status(Port)
    after ?TIMEOUT -> error(openssl)
    end.

%% One conversation: the client asks the server, whose answer is what a client makes of it.

talk(server, Module, Own) ->
    {L, Port} = listen(Module, Own),
    Server = spawn_monitor(fun() -> exit(serve_one(Module, L)) end),
    _ = ask(ssl:connect("localhost", Port, client([]), ?TIMEOUT), ssl),
    Result = ended(Server),
    ok = Module:close(L),
    Result;
talk(client, Module, Own) ->
    Good = ?CHAINS:make(good),
    {L, Port} = listen(ssl, [{verify, verify_peer}, {verify_fun, {fun(_, _, S) -> {valid, S} end, []}},
                             {fail_if_no_peer_cert, true}, {certificate_authorities, false},
                             {cacerts, maps:get(roots, Good)}
                             | ?CHAINS:options(Good)]),
    Server = spawn_link(fun() -> serve(ssl, L) end),
    Result = ask(Module:connect("localhost", Port, client(Own), ?TIMEOUT), Module),
    stop(Server, ssl, L),
    Result.

listen(Options) ->
    listen(ssl_port, Options).

listen(Module, Options) ->
    {ok, L} = Module:listen(0, [{active, false}, {reuseaddr, true}, {ip, {127, 0, 0, 1}},
                                {log_level, none} | Options]),
    {ok, {_, Port}} = Module:sockname(L),
    {L, Port}.

client(Options) ->
    [{verify, verify_none}, {active, false}, {log_level, none} | Options].

%% Answers everybody, each in a process of its own.
serve(L) ->
    serve(ssl_port, L).

serve(Module, L) ->
    {ok, T} = Module:transport_accept(L),
    Pid = spawn_link(fun() -> receive go -> ok end, _ = answer(Module, Module:handshake(T, ?TIMEOUT)) end),
    ok = Module:controlling_process(T, Pid),
    Pid ! go,
    serve(Module, L).

serve_one(Module, L) ->
    {ok, T} = Module:transport_accept(L, ?TIMEOUT),
    answer(Module, Module:handshake(T, ?TIMEOUT)).

answer(Module, {ok, S}) ->
    case Module:recv(S, 0, ?TIMEOUT) of
        {ok, _} -> ok = Module:send(S, "answer"), _ = Module:recv(S, 0, ?TIMEOUT), ok;
        Error -> Error
    end;
answer(_Module, Error) ->
    Error.

ask({ok, S}, Module) ->
    Result = case Module:send(S, "question") of
                 %% (BEAST: TLS 1.0 sends the first byte in a record of its own.)
                 ok -> Module:recv(S, 6, ?TIMEOUT);
                 Error -> Error
             end,
    ok = Module:close(S),
    case Result of {ok, "answer"} -> ok; _ -> Result end;
ask(Error, _Module) ->
    Error.

stop(Server, L) ->
    stop(Server, ssl_port, L).

stop(Server, Module, L) ->
    unlink(Server),
    exit(Server, kill),
    _ = Module:close(L),
    ok.

ended({Pid, Monitor}) ->
    receive {'DOWN', Monitor, process, Pid, Result} -> Result after ?TIMEOUT -> error(no_end) end.

gone(Pid) ->
    Monitor = monitor(process, Pid),
    receive {'DOWN', Monitor, process, Pid, _} -> ok after ?TIMEOUT -> error({alive, Pid}) end.
