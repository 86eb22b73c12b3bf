%% What is older or newer than a plain TLS 1.2 or 1.3 connection: every version and key
%% exchange, renegotiation, sessions and tickets, early data, NPN, keying material.
%%
%% As in ssl_port_api_SUITE, a case is a function of a configuration with the modules of the
%% client and the server. Most are run with ssl on both sides and with ssl_port on one or on
%% both, and must have seen the same; `differs' and `own' cases say what ssl does not have.
-module(ssl_port_features_SUITE).

-export([all/0, groups/0, suite/0]).
-export([init_per_suite/1, end_per_suite/1, init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [pair/3, listen/2, close/1, alert/1, result/1, eventually/1]).

suite() ->
    [{timetrap, {seconds, 90}}].

all() ->
    [{group, Name} || Name <- [client, server, both, own]].

groups() ->
    [{Name, [], named("case_")} || Name <- [client, server, both]] ++ [{own, [], named("own_")}].

named(Prefix) ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix(Prefix, atom_to_list(Name))].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    [{before, Before}, {certificates, ssl_port_test_lib:certificates({rsa, 2048, 65537})},
     {ec, ssl_port_test_lib:certificates()} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

init_per_group(client, Config) -> [{modules, {ssl_port, ssl}} | Config];
init_per_group(server, Config) -> [{modules, {ssl, ssl_port}} | Config];
init_per_group(_Both, Config) -> [{modules, {ssl_port, ssl_port}} | Config].

end_per_group(_Group, _Config) ->
    ok.

init_per_testcase(_Case, Config) ->
    Config.

end_per_testcase(_Case, _Config) ->
    ok.

%% Runs Body on both, each in a process of its own.
same(Config, Body) ->
    Expected = run(Body, base(Config, {ssl, ssl})),
    Got = run(Body, base(Config, proplists:get_value(modules, Config))),
    case Got of
        Expected ->
            ct:log("~0tp", [Got]);
        _ ->
            io:format(user, "~n~tp~nssl:      ~0tp~nssl_port: ~0tp~n",
                      [proplists:get_value(modules, Config), Expected, Got]),
            ct:fail({ssl, Expected, ssl_port, Got})
    end.

%% Both must see what is said here.
sees(Config, Expected, Body) ->
    case run(Body, base(Config, proplists:get_value(modules, Config))) of
        Expected -> ok;
        Got ->
            io:format(user, "~nexpected: ~0tp~ngot:      ~0tp~n", [Expected, Got]),
            ct:fail({expected, Expected, got, Got})
    end.

base(Config, {C, S}) ->
    maps:merge(proplists:get_value(certificates, Config), #{c => C, s => S, versions => ['tlsv1.2']}).

run(Body, Cfg) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({done, Body(Cfg)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {done, Result}} -> Result;
        {'DOWN', Monitor, process, Pid, Reason} -> ct:fail({Cfg, Reason})
    end.

%% A connection, used both ways.
used(Cfg, ClientOptions, ServerOptions, Items) ->
    #{c := C, s := S, client_socket := A, server_socket := B} = P =
        pair(Cfg, ClientOptions, ServerOptions),
    R = [C:send(A, "ping"), S:recv(B, 4, 5000), S:send(B, binary:copy(<<"x">>, 40000)),
         size(element(2, C:recv(A, 40000, 5000))), info(C, A, Items), info(S, B, Items)],
    close(P),
    R.

info(Mod, Socket, Items) ->
    {ok, Info} = Mod:connection_information(Socket, Items),
    Info.

%% What both sides of a handshake return that does not come about.
refused(#{c := C, s := S, client := Certs, versions := Versions} = Cfg, ClientOptions, ServerOptions) ->
    {L, Port} = listen(Cfg, [{active, false} | ServerOptions]),
    {_, Monitor} = spawn_monitor(fun() ->
                                         {ok, T} = S:transport_accept(L, 5000),
                                         exit(alert(S:handshake(T, 5000)))
                                 end),
    Client = alert(C:connect("localhost", Port,
                             [{versions, Versions}, {active, false}, {log_level, none},
                              {verify, verify_none} | ClientOptions ++ Certs], 5000)),
    Server = receive {'DOWN', Monitor, process, _, Reason} -> Reason after 6000 -> none end,
    ok = S:close(L),
    {Client, Server}.

suites(Names) ->
    [{ciphers, Names}].

%% Versions (issue of R36) and suites of every shape.

case_old_versions(Config) ->
    same(Config, fun(Cfg) ->
        [used(Cfg#{versions := [Version]}, [], [], [protocol]) || Version <- ['tlsv1.1', tlsv1]]
    end).

case_version_ranges(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S} = Cfg,
        [begin
             {L, Port} = listen(Cfg#{versions := Theirs}, [{active, false}]),
             spawn_link(fun() -> {ok, T} = S:transport_accept(L), {ok, B} = S:handshake(T, 5000),
                                 S:recv(B, 0) end),
             {ok, A} = C:connect("localhost", Port, [{versions, Ours}, {verify, verify_none},
                                                     {log_level, none}], 5000),
             R = info(C, A, [protocol]),
             ok = C:close(A),
             ok = S:close(L),
             R
         end || {Ours, Theirs} <- [{[tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'], ['tlsv1.1', tlsv1]},
                                   {['tlsv1.1', 'tlsv1.2'], ['tlsv1.3', 'tlsv1.2']},
                                   {[tlsv1, 'tlsv1.1'], [tlsv1, 'tlsv1.1', 'tlsv1.2']}]]
    end).

case_suites_by_name(Config) ->
    same(Config, fun(Cfg) ->
        [used(Cfg#{versions := [Version]}, suites(Suites), suites(Suites),
              [protocol, selected_cipher_suite])
         || {Version, Suites} <-
                [{'tlsv1.2', [#{key_exchange => rsa, cipher => aes_256_cbc, mac => sha256,
                                prf => default_prf}]},
                 {'tlsv1.2', "AES128-SHA"},
                 {'tlsv1.2', ["ECDHE-RSA-AES256-SHA384"]},
                 {'tlsv1.2', [{dhe_rsa, aes_128_cbc, sha}]},
                 {'tlsv1.2', ["TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"]},
                 {'tlsv1.2', [{rsa, '3des_ede_cbc', sha, default_prf}]},
                 {'tlsv1.2', [{rsa, rc4_128, sha}]},
                 {'tlsv1.1', [{rsa, rc4_128, md5}]},
                 {'tlsv1.1', [{rsa, des_cbc, sha}]},
                 {tlsv1, [{ecdhe_rsa, rc4_128, sha}]},
                 {tlsv1, [{dhe_rsa, des_cbc, sha}]}]]
    end).

case_lists_of_ssl(Config) ->
    same(Config, fun(Cfg) ->
        [used(Cfg#{versions := [Version]}, suites(Suites), suites(Suites), [protocol])
         || Version <- ['tlsv1.2', 'tlsv1.3'],
            Suites <- [ssl:cipher_suites(all, 'tlsv1.2') ++ ssl:cipher_suites(exclusive, 'tlsv1.3'),
                       ssl:cipher_suites(default, 'tlsv1.3'),
                       ssl:filter_cipher_suites(ssl:cipher_suites(all, 'tlsv1.3'), [])]]
    end).

%% S-O20
case_own_dh_parameters(Config) ->
    Der = dh_parameters(),
    File = filename:join(proplists:get_value(priv_dir, Config), "dh.pem"),
    ok = file:write_file(File, public_key:pem_encode([{'DHParameter', Der, not_encrypted}])),
    Suites = suites([{dhe_rsa, aes_128_gcm, aead, sha256}]),
    same(Config, fun(Cfg) ->
        [used(Cfg, Suites, Dh ++ Suites, [protocol]) || Dh <- [[{dh, Der}], [{dhfile, File}]]]
    end).

dh_parameters() ->
    {P, G} = {dh_prime(), 2},
    public_key:der_encode('DHParameter', {'DHParameter', P, G, asn1_NOVALUE}).

%% RFC 3526 section 3.
dh_prime() ->
    16#FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF.

%% Shared secrets.

psk() ->
    {user_lookup_fun, {fun(psk, _Identity, Secret) -> {ok, Secret} end, <<1, 2, 3, 4>>}}.

%% S-O15, S-O23
case_psk(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             Me = self(),
             Look = fun(Side) ->
                            {user_lookup_fun, {fun(psk, Identity, state) ->
                                                       Me ! {Side, Identity}, {ok, <<"secret">>}
                                               end, state}}
                    end,
             R = used(Cfg#{versions := [Version]},
                      [Look(client), {psk_identity, "me"} | suites([Suite])],
                      [Look(server) | Hint] ++ suites([Suite]), [protocol, selected_cipher_suite]),
             {R, asked(client), asked(server)}
         end || {Version, Suite, Hint} <-
                    [{'tlsv1.2', {psk, aes_128_cbc, sha}, [{psk_identity, "hint"}]},
                     {'tlsv1.2', {psk, aes_256_gcm, aead, sha384}, []},
                     {'tlsv1.1', {dhe_psk, aes_256_cbc, sha}, []},
                     {'tlsv1.2', {rsa_psk, aes_128_cbc, sha}, []},
                     {'tlsv1.2', {ecdhe_psk, aes_128_gcm, aead, sha256}, []},
                     {tlsv1, {psk, rc4_128, sha}, [{psk_identity, "h"}]}]]
    end).

asked(Side) ->
    receive {Side, Identity} -> Identity after 1000 -> nobody end.

%% S-O24
case_srp(Config) ->
    same(Config, fun(Cfg) ->
        [used(Cfg, [{srp_identity, {"user", "secret"}} | suites([Suite])],
              [srp() | suites([Suite])], [selected_cipher_suite])
         || Suite <- [{srp_anon, aes_128_cbc, sha}, {srp_rsa, aes_256_cbc, sha},
                      {srp_anon, '3des_ede_cbc', sha}]]
    end).

srp() ->
    Salt = <<"0123456789abcdef">>,
    {user_lookup_fun,
     {fun(srp, User, Password) ->
              Inner = crypto:hash(sha, [User, $:, Password]),
              {ok, {srp_2048, Salt, crypto:hash(sha, [Salt, Inner])}}
      end, <<"secret">>}}.

case_srp_username(Config) ->
    same(Config, fun(Cfg) ->
        Suites = suites([{srp_anon, aes_128_cbc, sha}]),
        #{s := S, server_socket := B} = P =
            pair(Cfg, [{srp_identity, {"user", "secret"}} | Suites], [srp() | Suites]),
        R = info(S, B, [srp_username]),
        close(P),
        R
    end).

case_anonymous(Config) ->
    same(Config, fun(Cfg) ->
        [used(Cfg, [{reuse_sessions, false} | suites([Suite])],
              [{reuse_sessions, false} | suites([Suite])], [selected_cipher_suite])
         || Suite <- [{dh_anon, aes_256_gcm, aead, sha384}, {dh_anon, aes_128_cbc, sha256},
                      {ecdh_anon, aes_256_cbc, sha}, {dh_anon, rc4_128, md5}]]
    end).

%% NPN (S-O21, S-O22, S-F22).

case_npn(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg, [{client_preferred_next_protocols, Wish}],
                      [{next_protocols_advertised, Listed} || Listed <- Advertised]),
             R = [C:negotiated_protocol(A), S:negotiated_protocol(B)],
             close(P),
             R
         end || {Wish, Advertised} <-
                    [{{client, [<<"b">>, <<"a">>]}, [[<<"a">>, <<"b">>]]},
                     {{server, [<<"b">>, <<"a">>]}, [[<<"a">>, <<"b">>]]},
                     {{client, [<<"x">>], <<"z">>}, [[<<"a">>, <<"b">>]]},
                     {{client, [<<"x">>], <<"z">>}, []}]]
    end).

%% Renegotiation (S-F20, R46).

case_renegotiation(Config) ->
    same(Config, fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg#{versions := [Version]}, [], []),
             ok = C:setopts(A, [{active, true}]),
             ok = S:setopts(B, [{active, true}]),
             R = [S:renegotiate(B), C:send(A, "one"), next(B), S:send(B, "two"), next(A),
                  C:renegotiate(A), C:send(A, "three"), next(B), C:renegotiate(A),
                  C:send(A, "four"), next(B), S:send(B, "five"), next(A)],
             close(P),
             R
         end || Version <- ['tlsv1.2', 'tlsv1.1', tlsv1]]
    end).

next(Socket) ->
    receive {ssl, Socket, Data} -> Data after 5000 -> none end.

case_renegotiation_refused(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [], [{client_renegotiation, false}]),
        ok = C:setopts(A, [{active, true}]),
        ok = S:setopts(B, [{active, true}]),
        R = [C:renegotiate(A), C:send(A, "alive"), next(B), S:send(B, "too"), next(A)],
        close(P),
        R
    end).

%% Sessions.

resumed(Mod, Socket) ->
    {ok, [{session_id, Id}]} = Mod:connection_information(Socket, [session_id]),
    Id.

%% R56, S-O18
case_sessions(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client := Certs} = Cfg,
        [begin
             {L, Port} = listen(Cfg, [{active, false}, {reuse_sessions, Server}]),
             Loop = spawn_link(fun() -> serve(S, L) end),
             Options = [{versions, ['tlsv1.2']}, {log_level, none}, {reuse_sessions, Client} | Verify ++ Certs],
             Ids = [begin
                        {ok, A} = C:connect("localhost", Port, Options, 5000),
                        {ok, _} = C:recv(A, 0, 5000),
                        Id = resumed(C, A),
                        ok = C:close(A),
                        timer:sleep(100),
                        Id
                    end || _ <- [1, 2, 3]],
             unlink(Loop),
             ok = S:close(L),
             length(lists:usort(Ids))
         end || {Client, Server, Verify} <- [{true, true, [{verify, verify_peer}, {active, false}]},
                                             {false, true, [{verify, verify_peer}, {active, false}]},
                                             {true, true, [{verify, verify_none}, {active, false}]}]]
    end).

serve(S, L) ->
    case S:transport_accept(L) of
        {ok, T} ->
            case S:handshake(T, 5000) of
                {ok, B} -> S:send(B, "hello"), S:recv(B, 0, 2000), S:close(B);
                {error, _} -> ok
            end,
            serve(S, L);
        {error, _} ->
            ok
    end.

%% A-O23
case_session_by_id(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client := Certs} = Cfg,
        {L, Port} = listen(Cfg, [{active, false}]),
        Loop = spawn_link(fun() -> serve(S, L) end),
        Connect = fun(Options) ->
            {ok, A} = C:connect("localhost", Port,
                                [{versions, ['tlsv1.2']}, {verify, verify_peer}, {active, false},
                                 {log_level, none} | Options ++ Certs], 5000),
            {ok, _} = C:recv(A, 0, 5000),
            {ok, Info} = C:connection_information(A, [session_id, session_data]),
            ok = C:close(A),
            timer:sleep(500),   %% ssl registers sessions in its own time
            [proplists:get_value(Name, Info) || Name <- [session_id, session_data]]
        end,
        [Id, Data] = Connect([{reuse_sessions, save}]),
        R = [hd(Connect([])) =:= Id,
             hd(Connect([{reuse_session, Id}])) =:= Id,
             hd(Connect([{reuse_session, {Id, Data}}])) =:= Id,
             hd(Connect([{reuse_session, <<"no such session">>}])) =:= Id,
             hd(Connect([{reuse_sessions, save}])) =:= Id],
        unlink(Loop),
        ok = S:close(L),
        R
    end).

%% S-O19
case_reuse_session_fun(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client := Certs} = Cfg,
        [begin
             Me = self(),
             Fun = fun(Id, Peer, Compression, Suite) ->
                           Me ! {asked, Id, Peer, Compression, Suite}, Answer
                   end,
             {L, Port} = listen(Cfg, [{active, false}, {reuse_session, Fun} |
                                      suites([{ecdhe_rsa, aes_128_gcm, aead, sha256}])]),
             Loop = spawn_link(fun() -> serve(S, L) end),
             Ids = [begin
                        {ok, A} = C:connect("localhost", Port,
                                            [{versions, ['tlsv1.2']}, {verify, verify_peer},
                                             {active, false}, {log_level, none} | Certs], 5000),
                        {ok, _} = C:recv(A, 0, 5000),
                        Id = resumed(C, A),
                        ok = C:close(A),
                        timer:sleep(500),   %% ssl registers sessions in its own time
                        Id
                    end || _ <- [1, 2]],
             unlink(Loop),
             ok = S:close(L),
             First = hd(Ids),
             {length(lists:usort(Ids)),
              receive {asked, First, Peer, Compression, Suite} -> {Peer, Compression, Suite}
              after 1000 -> nobody end}
         end || Answer <- [true, false]]
    end).

%% Tickets and early data (A-O30, A-O37).

tickets(Cfg, ServerOptions, Body) ->
    #{c := C, s := S, client := Certs} = Cfg,
    Me = self(),
    {L, Port} = listen(Cfg#{versions := ['tlsv1.3']}, [{active, false} | ServerOptions]),
    Loop = spawn_link(fun() -> early(S, L, Me) end),
    Connect = fun(Options) ->
        {ok, A} = C:connect("localhost", Port,
                            [{versions, ['tlsv1.3']}, {verify, verify_peer}, {active, false},
                             {mode, binary}, {log_level, none} | Options ++ Certs], 5000),
        {ok, <<"hello">>} = C:recv(A, 5, 5000),
        Early = receive {ssl, A, {early_data, Result}} -> Result after 0 -> none end,
        Received = receive {early, Bytes} -> Bytes after 2000 -> none end,
        [{session_resumption, Resumed}] = info(C, A, [session_resumption]),
        Tickets = collect(),
        ok = C:close(A),
        {{Resumed, Early, Received, length(Tickets)}, Tickets}
    end,
    R = Body(Connect),
    unlink(Loop),
    ok = S:close(L),
    R.

early(S, L, To) ->
    case S:transport_accept(L) of
        {ok, T} ->
            case S:handshake(T, 5000) of
                {ok, B} ->
                    To ! {early, S:recv(B, 0, 200)},
                    S:send(B, "hello"),
                    S:recv(B, 0, 2000),
                    S:close(B);
                {error, _} -> ok
            end,
            early(S, L, To);
        {error, _} ->
            ok
    end.

collect() ->
    receive {ssl, session_ticket, Ticket} -> [Ticket | collect()] after 300 -> [] end.

case_tickets_manual(Config) ->
    same(Config, fun(Cfg) ->
        [tickets(Cfg, [{session_tickets, Mode}], fun(Connect) ->
             {R1, [T1, T2 | _]} = Connect([{session_tickets, manual}]),
             {R2, _} = Connect([{session_tickets, manual}, {use_ticket, [T1]}]),
             {R3, _} = Connect([{session_tickets, manual}, {use_ticket, [T2]}]),
             {R4, _} = Connect([]),
             [R1, R2, R3, R4]
         end) || Mode <- [stateful, stateless]]
    end).

case_tickets_keys(Config) ->
    same(Config, fun(Cfg) ->
        tickets(Cfg, [{session_tickets, stateless}], fun(Connect) ->
            {_, [Ticket | _]} = Connect([{session_tickets, manual}]),
            #{cipher_suite := Suite, sni := Sni} = Ticket,
            {lists:sort(maps:keys(Ticket)), Suite, Sni}
        end)
    end).

case_early_data(Config) ->
    same(Config, fun(Cfg) ->
        [tickets(Cfg, [{session_tickets, Mode} | Options], fun(Connect) ->
             {R1, [T1 | _]} = Connect([{session_tickets, manual}]),
             {R2, _} = Connect([{session_tickets, manual}, {use_ticket, [T1]},
                                {early_data, <<"early">>}]),
             [R1, R2]
         end) || {Mode, Options} <- [{stateful, [{early_data, enabled}]},
                                     {stateless, [{early_data, enabled}, {anti_replay, '10k'}]}]]
    end).

%% Keying material (S-F21).

case_prf(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P = pair(Cfg, [], []),
        Args = [master_secret, <<"label">>, [client_random, <<"x">>, server_random], 48],
        {ok, One} = apply(C, prf, [A | Args]),
        R = [{ok, One} =:= apply(S, prf, [B | Args]), byte_size(One),
             C:prf(A, <<"secret">>, <<"label">>, [<<"seed">>], 20),
             S:prf(B, <<"secret">>, <<"label">>, [<<"seed">>], 20),
             C:prf(A, foo, <<"label">>, [<<"seed">>], 20)],
        close(P),
        R
    end).

case_keep_secrets(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg, [{keep_secrets, true}], []),
        Items = [client_random, server_random, master_secret],
        [{client_random, CR}, {master_secret, M}, {server_random, SR}] = lists:sort(info(C, A, Items)),
        R = [byte_size(X) || X <- [CR, SR, M]],
        Same = lists:sort(info(S, B, [client_random, server_random])) =:=
            [{client_random, CR}, {server_random, SR}],
        close(P),
        {R, Same}
    end).

%% Without keep_secrets: before TLS 1.3 the master secret is told by name, of TLS 1.2 the key log too.
case_secrets_by_name(Config) ->
    [same(Config, fun(Cfg) ->
         #{c := C, s := S, client_socket := A, server_socket := B} = P =
             pair(Cfg#{versions := [Version]}, Keep, Keep),
         [{client_random, CR}, {master_secret, M}] = lists:sort(info(C, A, [client_random, master_secret])),
         [{master_secret, M}] = info(S, B, [master_secret]),
         Logs = [info(C, A, [keylog]), info(S, B, [keylog])],
         Line = lists:flatten(["CLIENT_RANDOM ", hex(CR), " ", hex(M)]),
         close(P),
         %% Hexadecimal digits are large in OTP's.
         {byte_size(M), [case Log of [{keylog, [Told]}] -> string:equal(Line, Told, true); [] -> none end
                         || Log <- Logs]}
     end) || Version <- [tlsv1, 'tlsv1.2'], Keep <- [[], [{keep_secrets, true}]]].

hex(Bytes) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Bytes].

case_max_fragment_length(Config) ->
    same(Config, fun(Cfg) ->
        [used(Cfg#{versions := [Version]}, [{max_fragment_length, 512}], [], [max_fragment_length])
         || Version <- ['tlsv1.2', 'tlsv1.3']]
    end).

case_fallback(Config) ->
    same(Config, fun(Cfg) ->
        [refused(Cfg#{versions := ['tlsv1.1']}, [{fallback, true}], [{versions, ['tlsv1.1', 'tlsv1.2']}])]
    end).

%% What ssl of this release does not have.

%% Section 5.10 of the reference: SSL 3.0 where it is named, in the profile of R16.
own_sslv3(Config) ->
    Suite = {rsa, rc4_128, sha},
    sees(Config, [ok, {ok, <<"ping">>}, ok, 40000, [{protocol, sslv3}], [{protocol, sslv3}]],
         fun(Cfg) ->
             R16 = [{profile, r16} | suites([Suite])],
             used(Cfg#{versions := [sslv3]}, R16, R16, [protocol])
         end),
    sees(Config, {error, undefined}, fun(Cfg) ->
        #{c := C, client_socket := A} = P =
            pair(Cfg#{versions := [sslv3]}, [{profile, r16}], [{profile, r16}]),
        R = C:prf(A, master_secret, <<"label">>, [client_random], 20),
        close(P),
        R
    end),
    {error, {options, {sslv3, {versions, [sslv3]}}}} = ssl_port:connect("localhost", 1, [{versions, [sslv3]}]),
    ok.

%% Alerts are strings in the profile of R16 (R41).
own_r16_alert(Config) ->
    sees(Config, {{error, {tls_alert, "insufficient security"}},
                  {error, {tls_alert, "insufficient security"}}}, fun(Cfg) ->
        R16 = fun(Suite) -> [{profile, r16}, {ciphers, [Suite]}] end,
        refused(Cfg, R16({rsa, rc4_128, sha}), R16({rsa, aes_128_cbc, sha}))
    end).

%% The suite is named, and what it lacks.
own_unusable_suite(Config) ->
    #{server := Certs} = proplists:get_value(certificates, Config),
    {error, {options, dependency, {ciphers, "TLS_RSA_WITH_RC4_128_SHA", {versions, ['tlsv1.2']}}}} =
        ssl_port:listen(0, [{versions, ['tlsv1.3']}, {ciphers, [{rsa, rc4_128, sha}]} | Certs]),
    Lacking = fun(Suite) ->
        {ok, L} = ssl_port:listen(0, [{versions, ['tlsv1.2']}, {ciphers, [Suite]}, {log_level, none} | Certs]),
        {ok, {_, Port}} = ssl_port:sockname(L),
        {_, M} = spawn_monitor(fun() -> {ok, T} = ssl_port:transport_accept(L),
                                        exit(ssl_port:handshake(T)) end),
        {ok, S} = gen_tcp:connect("localhost", Port, []),
        R = receive {'DOWN', M, process, _, Reason} -> Reason after 5000 -> none end,
        gen_tcp:close(S),
        ok = ssl_port:close(L),
        R
    end,
    {error, {options, dependency, {ciphers, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                                   {certs_keys, [ec, ed25519, ed448]}}}} =
        Lacking({ecdhe_ecdsa, aes_128_gcm, aead, sha256}),
    {error, {options, dependency, {ciphers, "TLS_PSK_WITH_AES_128_CBC_SHA", user_lookup_fun}}} =
        Lacking({psk, aes_128_cbc, sha}),
    ok.

%% A server needs no certificate for what needs none.
own_psk_without_certificate(Config) ->
    sees(Config, [ok, {ok, <<"ping">>}, ok, 40000, [], []], fun(Cfg) ->
        Suites = suites([{psk, aes_128_cbc, sha}]),
        used(Cfg#{server := [], client := []},
             [psk(), {psk_identity, "me"}, {verify, verify_none} | Suites], [psk() | Suites], [])
    end).

%% N-F02
own_exporters(Config) ->
    sees(Config, [{true, 2, {error, bad_input}, {ok, 32}, none} || _ <- [1, 2, 3]], fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg#{versions := [Version]}, [], []),
             Args = [[<<"EXPORTER-a">>, <<"EXPORTER-b">>], [no_context, <<"context">>], [32, 16], false],
             {ok, One} = apply(C, export_key_materials, [A | Args]),
             Equal = {ok, One} =:= apply(S, export_key_materials, [B | Args]),
             Bad = C:export_key_materials(A, [<<"x">>], [], [1], false),
             {ok, [Once]} = C:export_key_materials(A, [<<"EXPORTER-c">>], [no_context], [32]),
             Again = C:export_key_materials(A, [<<"EXPORTER-c">>], [no_context], [32]),
             Consumed = case {Version, Again} of
                            {'tlsv1.3', {error, exporter_master_secret_already_consumed}} -> none;
                            {_, {ok, [Once]}} when Version =/= 'tlsv1.3' -> none;
                            Other -> Other
                        end,
             close(P),
             {Equal, length(One), Bad, {ok, byte_size(Once)}, Consumed}
         end || Version <- [tlsv1, 'tlsv1.2', 'tlsv1.3']]
    end).

%% N-F03: in TLS 1.3 prf/5 exports, so far as its arguments say how.
own_prf_as_exporter(Config) ->
    Seed = [client_random, server_random],
    sees(Config, [{error, bad_input}, {error, notsup}, {error, notsup}, true, true], fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg#{versions := ['tlsv1.3']}, [], []),
        {ok, [WithContext]} = S:export_key_materials(B, [<<"EXPORTER-a">>], [<<"context">>], [20], false),
        {ok, [Bare]} = C:export_key_materials(A, [<<"EXPORTER-b">>], [no_context], [16], false),
        %% The last that ask for the secret of their side take it away.
        R = [C:prf(A, master_secret, <<"EXPORTER-b">>, Seed ++ [<<"a">>, <<"b">>], 16),
             C:prf(A, master_secret, <<"EXPORTER-b">>, [client_random], 16),
             C:prf(A, <<"secret">>, <<"EXPORTER-b">>, Seed, 16),
             C:prf(A, master_secret, <<"EXPORTER-a">>, Seed ++ [<<"context">>], 20) =:= {ok, WithContext},
             S:prf(B, master_secret, <<"EXPORTER-b">>, Seed, 16) =:= {ok, Bare}],
        close(P),
        R
    end).

own_channel_bindings(Config) ->
    sees(Config, [{[tls_exporter, tls_server_end_point, tls_unique], []},
                  {[tls_exporter, tls_server_end_point], [{error, notsup}]}], fun(Cfg) ->
        [begin
             #{c := C, s := S, client_socket := A, server_socket := B} = P =
                 pair(Cfg#{versions := [Version]}, [], []),
             Of = [{Type, C:channel_binding(A, Type), S:channel_binding(B, Type)}
                   || Type <- [tls_exporter, tls_server_end_point, tls_unique]],
             close(P),
             {[Type || {Type, {ok, Bytes}, {ok, Bytes}} <- Of, byte_size(Bytes) > 0],
              lists:usort([Error || {_, {error, _} = Error, Error} <- Of])}
         end || Version <- ['tlsv1.2', 'tlsv1.3']]
    end).

own_external_psks(Config) ->
    sees(Config, [{ok, <<"ping">>}, {ok, <<"ping">>}, refused], fun(Cfg) ->
        Key = crypto:strong_rand_bytes(32),
        Psks = fun(Hash) -> [{psks, [{<<"client 1">>, Key, Hash}]}] end,
        Try = fun(Client, Server) ->
            #{c := C, s := S, client_socket := A, server_socket := B} = P =
                pair(Cfg#{versions := ['tlsv1.3'], server := [], client := []},
                     [{verify, verify_none} | Client], Server),
            ok = C:send(A, "ping"),
            R = S:recv(B, 4, 5000),
            close(P),
            R
        end,
        [Try(Psks(sha256), Psks(sha256)),
         Try([{psk_modes, [psk_ke]} | Psks(sha384)], [{psk_modes, [psk_ke, psk_dhe_ke]} | Psks(sha384)]),
         case refused(Cfg#{versions := ['tlsv1.3'], server := [], client := []},
                      [{psks, [{"client 1", <<"another key">>}]}], Psks(sha256)) of
             {{error, _}, {error, _}} -> refused;
             Other -> Other
         end]
    end).

own_post_handshake_authentication(Config) ->
    sees(Config, [{error, no_peercert}, ok, true, {ok, <<"ping">>}, {error, notsup}], fun(Cfg) ->
        Late = [{post_handshake_auth, true}],
        Server = [{verify, verify_peer}, {fail_if_no_peer_cert, false} | Late],
        #{c := C, s := S, client_socket := A, server_socket := B} = P =
            pair(Cfg#{versions := ['tlsv1.3']}, Late, Server),
        ok = C:setopts(A, [{active, true}]),
        R1 = S:peercert(B),
        R2 = S:request_certificate(B),
        {ok, Own} = S:peercert(B),
        ok = C:send(A, "ping"),
        R3 = S:recv(B, 4, 5000),
        close(P),
        #{s := S, server_socket := D} = Q = pair(Cfg#{versions := ['tlsv1.3']}, [], Server),
        R4 = S:request_certificate(D),
        close(Q),
        [R1, R2, is_binary(Own), R3, R4]
    end).

own_tls13_extensions(Config) ->
    sees(Config, [ok, {ok, <<"ping">>}, ok, 40000, [{protocol, 'tlsv1.3'}], [{protocol, 'tlsv1.3'}]], fun(Cfg) ->
        Options = [{certificate_compression, [brotli, zlib]}, {record_size_limit, 512},
                   {supported_groups, [x25519mlkem768, x25519]}],
        used(Cfg#{versions := ['tlsv1.3']}, Options, Options, [protocol])
    end).

%% (ssl of OTP 25 does not find its own tickets again where the host has a name.)
own_tickets_auto(Config) ->
    sees(Config, [[{false, none, {error, timeout}, 0}, {true, none, {error, timeout}, 0},
                   {true, accepted, {ok, "early"}, 0}],
                  [{false, none, {error, timeout}, 0}, {true, none, {error, timeout}, 0},
                   {true, rejected, {error, timeout}, 0}]], fun(Cfg) ->
        [tickets(Cfg, [{session_tickets, stateless} | Options], fun(Connect) ->
             [element(1, Connect([{session_tickets, auto} | More]))
              || More <- [[], [], [{early_data, <<"early">>}]]]
         end) || Options <- [[{early_data, enabled}], []]]
    end).

%% RFC 4279 section 2: an identity that nobody knows.
own_psk_unknown(Config) ->
    sees(Config, [{{error, {tls_alert, unknown_psk_identity}}, {error, {tls_alert, unknown_psk_identity}}}],
         fun(Cfg) ->
        Nobody = {user_lookup_fun, {fun(psk, _, _) -> error end, []}},
        Suites = suites([{psk, aes_128_cbc, sha}]),
        [refused(Cfg, [psk(), {psk_identity, "me"} | Suites], [Nobody | Suites])]
    end).

%% Tickets of one node are good on another that has the seed (N-O04).
own_shared_ticket_seed(Config) ->
    sees(Config, [true, false], fun(Cfg) ->
        #{c := C, s := S, client := Certs} = Cfg,
        [begin
             Listeners = [listen(Cfg#{versions := ['tlsv1.3']},
                                 [{active, false}, {session_tickets, stateless},
                                  {stateless_tickets_seed, Seed}]) || Seed <- Seeds],
             [spawn_link(fun() -> serve(S, L) end) || {L, _} <- Listeners],
             [{_, One}, {_, Two}] = Listeners,
             Connect = fun(Port, Options) ->
                 {ok, A} = C:connect("localhost", Port,
                                     [{versions, ['tlsv1.3']}, {verify, verify_peer}, {active, false},
                                      {session_tickets, manual}, {log_level, none} | Options ++ Certs], 5000),
                 {ok, _} = C:recv(A, 0, 5000),
                 [{session_resumption, Resumed}] = info(C, A, [session_resumption]),
                 Tickets = collect(),
                 ok = C:close(A),
                 {Resumed, Tickets}
             end,
             {false, [Ticket | _]} = Connect(One, []),
             {Resumed, _} = Connect(Two, [{use_ticket, [Ticket]}]),
             [unlink(Pid) || Pid <- element(2, process_info(self(), links)), is_pid(Pid)],
             [ok = S:close(L) || {L, _} <- Listeners],
             Resumed
         end || Seeds <- [[<<"seed">>, <<"seed">>], [<<"seed">>, <<"other">>]]]
    end).

%% RFC 5077
own_tickets_of_tls12(Config) ->
    sees(Config, [false, true], fun(Cfg) ->
        #{c := C, s := S, client := Certs} = Cfg,
        {L, Port} = listen(Cfg, [{active, false}, {tls12_session_tickets, true}]),
        Loop = spawn_link(fun() -> serve(S, L) end),
        R = [begin
                 {ok, A} = C:connect("localhost", Port,
                                     [{versions, ['tlsv1.2']}, {verify, verify_peer}, {active, false},
                                      {tls12_session_tickets, true}, {log_level, none} | Certs], 5000),
                 {ok, _} = C:recv(A, 0, 5000),
                 [{session_resumption, Resumed}] = info(C, A, [session_resumption]),
                 ok = C:close(A),
                 timer:sleep(100),
                 Resumed
             end || _ <- [1, 2]],
        unlink(Loop),
        ok = S:close(L),
        R
    end).

%% R55: a session is resumed under the policy of its making only.
own_sessions_keep_their_policy(Config) ->
    sees(Config, [false, true, false, {error, unknown_ca}], fun(Cfg) ->
        #{c := C, s := S, client := Certs} = Cfg,
        {L, Port} = listen(Cfg, [{active, false}]),
        Loop = spawn_link(fun() -> serve(S, L) end),
        Try = fun(Options) ->
            case C:connect("localhost", Port, [{versions, ['tlsv1.2']}, {active, false}, {log_level, none} |
                                               Options], 5000) of
                {ok, A} ->
                    {ok, _} = C:recv(A, 0, 5000),
                    [{session_resumption, Resumed}] = info(C, A, [session_resumption]),
                    ok = C:close(A),
                    timer:sleep(100),
                    Resumed;
                {error, {tls_alert, {Alert, _}}} ->
                    {error, Alert}
            end
        end,
        Verified = [{verify, verify_peer} | Certs],
        Others = [{verify, verify_peer} | maps:get(client, proplists:get_value(ec, Config))],
        R = [Try([{server_name_indication, disable} | Verified]),
             Try([{server_name_indication, disable} | Verified]),
             Try(Verified), Try(Others)],
        unlink(Loop),
        ok = S:close(L),
        R
    end).

%% A server staples what it is given; the client tells it to the program.
own_stapling(Config) ->
    sees(Config, [[{ocsp_response, <<"response">>}], [{ocsp_response, <<"response">>}], []], fun(Cfg) ->
        [begin
             #{c := C, client_socket := A} = P =
                 pair(Cfg#{versions := [Version]}, [{status_request, Ask}], [{ocsp_response, <<"response">>}]),
             R = info(C, A, [ocsp_response]),
             close(P),
             R
         end || {Version, Ask} <- [{'tlsv1.2', true}, {'tlsv1.3', true}, {'tlsv1.3', false}]]
    end).

%% A fun that fails ends the handshake, not the server.
own_lookup_fails(Config) ->
    sees(Config, true, fun(Cfg) ->
        Broken = {user_lookup_fun, {fun(psk, _, _) -> error(broken) end, []}},
        Suites = suites([{psk, aes_128_cbc, sha}]),
        {{error, {tls_alert, handshake_failure}}, {error, {tls_alert, handshake_failure}}} =
            refused(Cfg, [psk(), {psk_identity, "me"} | Suites], [Broken | Suites]),
        true
    end).

own_calls_on_tls13(Config) ->
    sees(Config, [{error, notsup}, {error, notsup}], fun(Cfg) ->
        #{c := C, client_socket := A} = P = pair(Cfg#{versions := ['tlsv1.3']}, [], []),
        R = [C:renegotiate(A), C:prf(A, master_secret, <<"label">>, [client_random], 20)],
        close(P),
        R
    end).
