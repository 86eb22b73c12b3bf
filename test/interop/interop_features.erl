%% What is no matter of suites: each feature with the peers that have it, in both roles. Every one ends with a
%% line each way over the connection that used it.
-module(interop_features).

-export([run/2]).
-export_type([feature/0, outcome/0]).

-include("interop.hrl").

%% What it is, the peer and the role of the peer.
-type feature() :: {string(), atom(), client | server}.
-type outcome() :: ok | {refused, term()} | {failed, term()}.

%% Those of the peers that are there; `Meet' runs one in a process of its own.
-spec run([interop_peers:peer()], fun((fun(() -> term())) -> outcome())) -> [{feature(), outcome()}].
run(Peers, Meet) ->
    [{Feature, Meet(fun() -> Fun(Peer) end)}
     || Peer <- Peers, {{_, Name, _} = Feature, Fun} <- features(), Name =:= interop_peers:name(Peer)].

features() ->
    [{{Name, openssl, server}, fun(_) -> server(openssl, V, More, Options, Do) end}
     || {Name, V, More, Options, Do} <- openssl_servers()]
        ++ [{{Name, openssl, client}, fun(_) -> client(openssl, V, More, Options, Do) end}
            || {Name, V, More, Options, Do} <- openssl_clients()]
        ++ [{{Name, gnutls, server}, fun(_) -> server(gnutls, V, More, Options, Do) end}
            || {Name, V, More, Options, Do} <- gnutls_servers()]
        ++ [{{Name, gnutls, client}, fun(_) -> client(gnutls, V, More, Options, Do) end}
            || {Name, V, More, Options, Do} <- gnutls_clients()]
        ++ [{{Name, otp, server}, fun(_) -> otp_server(V, More, Options, Do) end}
            || {Name, V, More, Options, Do} <- otp_servers()]
        ++ [{{Name, otp, client}, fun(_) -> otp_client(V, More, Options, Do) end}
            || {Name, V, More, Options, Do} <- otp_clients()]
        ++ [{{hybrid(), node_3_5, server}, fun hybrid_server/1}, {{hybrid(), node_3_5, client}, fun hybrid_client/1}]
        ++ [{{ssl2_hello(), java, client}, fun ssl2_hello/1}]
        ++ [{{npn(), Node, Role}, Fun} || Node <- [node_1_0_1, node_1_0_2],
                                          {Role, Fun} <- [{server, fun npn_server/1}, {client, fun npn_client/1}]].

%% The names, in the order of the table.
alpn() -> "ALPN".
npn() -> "NPN".
client_certificate() -> "client certificate".
own_renegotiation() -> "renegotiation, asked for by `ssl_port`".
their_renegotiation() -> "renegotiation, asked for by the peer".
session_id() -> "resumption by session id".
ticket12() -> "resumption by ticket, TLS 1.2".
ticket13() -> "resumption by ticket, TLS 1.3".
early_data() -> "0-RTT".
own_key_update() -> "KeyUpdate, asked for by `ssl_port`".
their_key_update() -> "KeyUpdate, asked for by the peer".
late_certificate() -> "post-handshake authentication".
psk13() -> "external PSK, TLS 1.3".
stapling(V) -> "OCSP stapling, TLS " ++ string:slice(atom_to_list(V), 4).
fragment_length() -> "max_fragment_length".
size_limit() -> "record_size_limit".
compression() -> "certificate compression".
hybrid() -> "X25519MLKEM768".
ssl2_hello() -> "ClientHello in the form of SSL 2.0".

%% --- what is done with each peer ------------------------------------------------------------------
%% {Name, Version, Further arguments of the program or options of OTP, Further options of ssl_port, What is done}

openssl_servers() ->
    [{alpn(), 'tlsv1.3', ["-alpn", "interop"], [{alpn_advertised_protocols, [<<"interop">>]}], fun spoken/2},
     {npn(), 'tlsv1.2', ["-nextprotoneg", "interop"], [{client_preferred_next_protocols, {client, [<<"interop">>]}}],
      fun spoken/2},
     {own_renegotiation(), 'tlsv1.2', ["-client_renegotiation", "-state"], [],
      fun(S, D) ->
              talk(S, D),
              ok = ssl_port:renegotiate(S),
              ok = interop_dialogue:expect(D, "write finished"),
              talk(S, D)
      end},
     {their_renegotiation(), 'tlsv1.2', ["-state"], [],
      fun(S, D) ->
              talk(S, D),
              ok = interop_dialogue:say(D, "r\n"),
              ok = interop_dialogue:expect(D, "write hello request"),
              listen(S),
              ok = interop_dialogue:expect(D, "write finished"),
              talk(S, D)
      end},
     {session_id(), 'tlsv1.2', ["-no_ticket"], [{tls12_session_tickets, false}], fun resumed_by_client/3},
     {ticket12(), 'tlsv1.2', [], [{tls12_session_tickets, true}], fun resumed_by_client/3},
     {ticket13(), 'tlsv1.3', [], [{session_tickets, auto}], fun resumed_by_client/3},
     {early_data(), 'tlsv1.3', ["-early_data"], [{session_tickets, auto}],
      fun(S, D, Again) ->
              talk(S, D),
              ok = ssl_port:close(S),
              S2 = Again([{early_data, <<"early bird\n">>}]),
              ok = interop_dialogue:expect(D, "early bird"),
              talk(S2, D)
      end},
     {own_key_update(), 'tlsv1.3', [], [], fun own_key_update/2},
     {their_key_update(), 'tlsv1.3', [], [], fun(S, D) -> their_key_update(S, D, "SSL_do_handshake -> 1") end},
     {late_certificate(), 'tlsv1.3', ["-verify", "1", "-CAfile", ca()], [{post_handshake_auth, true} | own_certificate()],
      fun(S, D) ->
              talk(S, D),
              ok = interop_dialogue:say(D, "c\n"),
              listen(S),
              ok = interop_dialogue:expect(D, "depth=0 CN = rsa"),
              talk(S, D)
      end},
     {psk13(), 'tlsv1.3', ["-psk", interop_peers:psk_hex(), "-psk_identity", interop_certificates:psk_identity(), "-nocert"],
      [{psks, [psk()]}], fun talk/2},
     {client_certificate(), 'tlsv1.2', ["-Verify", "1", "-verify_return_error", "-CAfile", ca()], own_certificate(),
      fun talk/2},
     {fragment_length(), 'tlsv1.2', [], [{max_fragment_length, 512}], fun talk/2}]
        ++ [{stapling(V), V, ["-status_file", interop_certificates:file("rsa.ocsp")], [{ocsp_stapling, true}], fun talk/2}
            || V <- ['tlsv1.2', 'tlsv1.3']].

openssl_clients() ->
    [{alpn(), 'tlsv1.3', ["-alpn", "interop"], [{alpn_preferred_protocols, [<<"interop">>]}], fun spoken/2},
     {npn(), 'tlsv1.2', ["-nextprotoneg", "interop"], [{next_protocols_advertised, [<<"interop">>]}], fun spoken/2},
     {own_renegotiation(), 'tlsv1.2', [], [],
      fun(S, D) -> talk(S, D), ok = ssl_port:renegotiate(S), talk(S, D) end},
     {their_renegotiation(), 'tlsv1.2', [], [],
      fun(S, D) ->
              talk(S, D),
              ok = interop_dialogue:say(D, "R\n"),
              ok = interop_dialogue:expect(D, "RENEGOTIATING"),
              listen(S),
              talk(S, D)
      end},
     {session_id(), 'tlsv1.2', ["-no_ticket"], [{tls12_session_tickets, false}], fun resumed_by_peer/3},
     {ticket12(), 'tlsv1.2', [], [{tls12_session_tickets, true}], fun resumed_by_peer/3},
     {ticket13(), 'tlsv1.3', [], [{session_tickets, stateless}], fun resumed_by_peer/3},
     {early_data(), 'tlsv1.3', [], [{session_tickets, stateful}, {early_data, enabled}],
      fun(S, D, Again) ->
              resumed_by_peer(S, D, fun(More) ->
                                            ok = file:write_file(early_file(), "early bird\n"),
                                            {S2, D2} = Again(["-early_data", early_file() | More]),
                                            {ok, <<"early bird\n">>} = ssl_port:recv(S2, 11, ?TIMEOUT),
                                            {S2, D2}
                                    end)
      end},
     {own_key_update(), 'tlsv1.3', [], [], fun own_key_update/2},
     {their_key_update(), 'tlsv1.3', [], [], fun(S, D) -> their_key_update(S, D, "KEYUPDATE") end},
     {psk13(), 'tlsv1.3', ["-psk", interop_peers:psk_hex(), "-psk_identity", interop_certificates:psk_identity()],
      [{psks, [psk()]}], fun talk/2},
     {client_certificate(), 'tlsv1.2', ["-cert", certificate(), "-key", key()], asking(), fun certified/2},
     {late_certificate(), 'tlsv1.3', ["-enable_pha", "-cert", certificate(), "-key", key()],
      [{post_handshake_auth, true} | asking()], fun certified_later/2},
     {fragment_length(), 'tlsv1.2', ["-maxfraglen", "512"], [], fun talk/2}]
        ++ [{stapling(V), V, ["-status"], [{ocsp_response, staple()}],
             fun(S, D) -> interop_dialogue:expect(D, "OCSP Response Status: successful"), talk(S, D) end}
            || V <- ['tlsv1.2', 'tlsv1.3']].

gnutls_servers() ->
    [{alpn(), 'tlsv1.3', ["--alpn", "interop"], [{alpn_advertised_protocols, [<<"interop">>]}], fun spoken_echo/2},
     {own_renegotiation(), 'tlsv1.2', [], [],
      fun(S, _) -> echoed(S), ok = ssl_port:renegotiate(S), echoed(S) end},
     {their_renegotiation(), 'tlsv1.2', [], [],
      fun(S, _) -> ok = ssl_port:send(S, "**REHANDSHAKE**\n"), line_with(S, "executed command", <<>>), echoed(S) end},
     {session_id(), 'tlsv1.2', ["--noticket"], [{tls12_session_tickets, false}], fun resumed_echo/3},
     {ticket12(), 'tlsv1.2', [], [{tls12_session_tickets, true}], fun resumed_echo/3},
     {ticket13(), 'tlsv1.3', [], [{session_tickets, auto}], fun resumed_echo/3},
     {own_key_update(), 'tlsv1.3', [], [],
      fun(S, _) -> echoed(S), ok = ssl_port:update_keys(S, read_write), echoed(S) end},
     {client_certificate(), 'tlsv1.2', ["--require-client-cert", "--verify-client-cert", "--x509cafile", ca()],
      own_certificate(), fun(S, _) -> echoed(S) end},
     {size_limit(), 'tlsv1.3', [], [{record_size_limit, 512}], fun(S, _) -> echoed(S) end},
     {compression(), 'tlsv1.3', ["--compress-cert", "zlib"], [{certificate_compression, [zlib]}],
      fun(S, _) -> echoed(S) end}]
        ++ [{stapling(V), V, ["--ocsp-response", interop_certificates:file("rsa.ocsp")], [{ocsp_stapling, true}],
             fun(S, _) -> echoed(S) end} || V <- ['tlsv1.2', 'tlsv1.3']].

gnutls_clients() ->
    [{alpn(), 'tlsv1.3', ["--alpn", "interop"], [{alpn_preferred_protocols, [<<"interop">>]}], fun spoken/2},
     {own_renegotiation(), 'tlsv1.2', [], [],
      fun(S, D) -> talk(S, D), ok = ssl_port:renegotiate(S), talk(S, D) end},
     {their_renegotiation(), 'tlsv1.2', ["--inline-commands"], [],
      fun(S, D) -> talk(S, D), ok = interop_dialogue:say(D, "^renegotiate^\n"), listen(S), talk(S, D) end},
     {their_key_update(), 'tlsv1.3', ["--inline-commands"], [],
      fun(S, D) -> talk(S, D), ok = interop_dialogue:say(D, "^rekey^\n"), listen(S), talk(S, D) end},
     {own_key_update(), 'tlsv1.3', [], [],
      fun(S, D) -> talk(S, D), ok = ssl_port:update_keys(S, read_write), talk(S, D) end},
     {client_certificate(), 'tlsv1.2', ["--x509certfile", certificate(), "--x509keyfile", key()], asking(),
      fun certified/2},
     {late_certificate(), 'tlsv1.3', ["--post-handshake-auth", "--x509certfile", certificate(), "--x509keyfile", key()],
      [{post_handshake_auth, true} | asking()], fun certified_later/2},
     {size_limit(), 'tlsv1.3', ["--recordsize", "512"], [{record_size_limit, 1024}], fun talk/2},
     {compression(), 'tlsv1.3', ["--compress-cert", "zlib"], [{certificate_compression, [zlib]}], fun talk/2}].

otp_servers() ->
    [{alpn(), 'tlsv1.3', [{alpn_preferred_protocols, [<<"interop">>]}], [{alpn_advertised_protocols, [<<"interop">>]}],
      fun spoken/2},
     {npn(), 'tlsv1.2', [{next_protocols_advertised, [<<"interop">>]}],
      [{client_preferred_next_protocols, {client, [<<"interop">>]}}], fun spoken/2},
     {session_id(), 'tlsv1.2', [], [{tls12_session_tickets, false}], fun resumed_by_client/3},
     {ticket13(), 'tlsv1.3', [{session_tickets, stateless}], [{session_tickets, auto}], fun resumed_by_client/3},
     {early_data(), 'tlsv1.3', [{session_tickets, stateful}, {early_data, enabled}], [{session_tickets, auto}],
      fun(S, O, Again) ->
              talk(S, O),
              ok = ssl_port:close(S),
              {S2, O2} = Again([{early_data, <<"early bird\n">>}]),
              {ok, <<"early bird\n">>} = ask(O2, fun(P) -> ssl:recv(P, 11, ?TIMEOUT) end),
              talk(S2, O2)
      end} | otp_both()].

otp_clients() ->
    [{alpn(), 'tlsv1.3', [{alpn_advertised_protocols, [<<"interop">>]}], [{alpn_preferred_protocols, [<<"interop">>]}],
      fun spoken/2},
     {npn(), 'tlsv1.2', [{client_preferred_next_protocols, {client, [<<"interop">>]}}],
      [{next_protocols_advertised, [<<"interop">>]}], fun spoken/2} | otp_both()].

otp_both() ->
    [{own_renegotiation(), 'tlsv1.2', [], [],
      fun(S, O) ->
              talk(S, O),
              O ! {do, fun(P) -> ssl:recv(P, 10, ?TIMEOUT) end},
              ok = ssl_port:renegotiate(S),
              ok = ssl_port:send(S, "from port\n"),
              {ok, <<"from port\n">>} = done(O),
              talk(S, O)
      end},
     {their_renegotiation(), 'tlsv1.2', [], [],
      fun(S, O) ->
              talk(S, O),
              O ! {do, fun(P) -> R = ssl:renegotiate(P), ok = ssl:send(P, "renegotiated\n"), R end},
              {ok, <<"renegotiated\n">>} = ssl_port:recv(S, 13, ?TIMEOUT),
              ok = done(O),
              talk(S, O)
      end},
     {own_key_update(), 'tlsv1.3', [], [], fun own_key_update/2},
     {their_key_update(), 'tlsv1.3', [], [],
      fun(S, O) -> talk(S, O), ok = ask(O, fun(P) -> ssl:update_keys(P, read_write) end), talk(S, O) end}].

%% --- what is done ---------------------------------------------------------------------------------

%% A line each way.
talk(S, Peer) ->
    ok = ssl_port:send(S, <<"from port\n">>),
    heard(Peer, "from port"),
    said(Peer, "from peer\n"),
    is({ok, <<"from peer\n">>}, ssl_port:recv(S, 10, ?TIMEOUT)).

heard(Otp, Line) when is_pid(Otp) ->
    is({ok, list_to_binary(Line ++ "\n")}, ask(Otp, fun(P) -> ssl:recv(P, length(Line) + 1, ?TIMEOUT) end));
heard(Dialogue, Line) ->
    interop_dialogue:expect(Dialogue, Line).

said(Otp, Line) when is_pid(Otp) -> ok = ask(Otp, fun(P) -> ssl:send(P, Line) end);
said(Dialogue, Line) -> interop_dialogue:say(Dialogue, Line).

echoed(S) ->
    ok = ssl_port:send(S, <<"there and back\n">>),
    is({ok, <<"there and back\n">>}, ssl_port:recv(S, 15, ?TIMEOUT)).

line_with(S, Text, Before) ->
    {ok, More} = ssl_port:recv(S, 0, ?TIMEOUT),
    Heard = <<Before/binary, More/binary>>,
    case re:run(Heard, Text ++ "\\n$") of
        {match, _} -> ok;
        nomatch -> line_with(S, Text, Heard)
    end.

%% A passive socket looks at what comes while it receives.
listen(S) ->
    is({error, timeout}, ssl_port:recv(S, 0, 500)).

spoken(S, Peer) ->
    is({ok, <<"interop">>}, ssl_port:negotiated_protocol(S)),
    talk(S, Peer).

spoken_echo(S, _) ->
    is({ok, <<"interop">>}, ssl_port:negotiated_protocol(S)),
    echoed(S).

certified(S, Peer) ->
    {ok, _} = ssl_port:peercert(S),
    talk(S, Peer).

certified_later(S, Peer) ->
    talk(S, Peer),
    {error, no_peercert} = ssl_port:peercert(S),
    ok = ssl_port:request_certificate(S),
    certified(S, Peer).

own_key_update(S, Peer) ->
    talk(S, Peer),
    ok = ssl_port:update_keys(S, read_write),
    talk(S, Peer).

their_key_update(S, D, Word) ->
    talk(S, D),
    ok = interop_dialogue:say(D, "K\n"),
    ok = interop_dialogue:expect(D, Word),
    listen(S),
    talk(S, D).

%% Two connections, the second of which resumes the first.
resumed_by_client(S, Peer, Again) ->
    talk(S, Peer),
    ok = ssl_port:close(S),
    case Again([]) of
        {S2, Peer2} -> resumed(S2), talk(S2, Peer2);
        S2 -> resumed(S2), talk(S2, Peer)
    end.

resumed_echo(S, _, Again) ->
    echoed(S),
    ok = ssl_port:close(S),
    S2 = Again([]),
    resumed(S2),
    echoed(S2).

resumed(S) ->
    is({ok, [{session_resumption, true}]}, ssl_port:connection_information(S, [session_resumption])).

resumed_by_peer(S, D, Again) ->
    talk(S, D),
    ok = ssl_port:close(S),
    {S2, D2} = Again(["-sess_in", session_file()]),
    resumed(S2),
    ok = interop_dialogue:expect(D2, "Reused, TLS"),
    talk(S2, D2).

is(Same, Same) -> ok;
is(Expected, Other) -> throw({failed, {expected, Expected, got, Other}}).

%% --- connections with programs ---------------------------------------------------------------------

server(Peer, Version, More, Options, Do) ->
    Port = interop_peers:free_port(),
    {Program, Arguments, Ready} = server_program(Peer, Port, Version),
    D = interop_dialogue:open(Program, Arguments ++ More),
    try
        ok = interop_dialogue:expect(D, Ready),
        Connect = fun(Further) ->
                          opened(ssl_port:connect("localhost", Port, client_options(Version) ++ Options ++ Further, ?TIMEOUT))
                  end,
        S = Connect([]),
        case is_function(Do, 2) of
            true -> Do(S, D);
            false -> Do(S, D, Connect)
        end
    after
        interop_dialogue:close(D)
    end.

server_program(openssl, Port, Version) ->
    {"openssl", ["s_server", "-accept", integer_to_list(Port), "-cert", certificate(), "-key", key(),
                 interop_peers:openssl_version(Version)], "ACCEPT"};
server_program(gnutls, Port, Version) ->
    {"gnutls-serv", ["--echo", "--port", integer_to_list(Port), "--x509certfile", certificate(), "--x509keyfile", key(),
                     "--priority", gnutls_priority(Version)], "IPv6 :: port"}.

client(Peer, Version, More, Options, Do) ->
    L = opened(ssl_port:listen(0, server_options(Version) ++ Options)),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Accept = fun(Further) ->
                     {Program, Arguments} = client_program(Peer, Port, Version),
                     D = interop_dialogue:open(Program, Arguments ++ More ++ Further),
                     {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
                     {opened(ssl_port:handshake(T, ?TIMEOUT)), D}
             end,
    _ = file:delete(session_file()),
    {S, D} = Accept(["-sess_out" || Peer =:= openssl, is_function(Do, 3)]
                    ++ [session_file() || Peer =:= openssl, is_function(Do, 3)]),
    try
        case is_function(Do, 2) of
            true -> Do(S, D);
            false -> Do(S, D, Accept)
        end
    after
        interop_dialogue:close(D),
        ssl_port:close(L)
    end.

client_program(openssl, Port, Version) ->
    {"openssl", ["s_client", "-connect", "localhost:" ++ integer_to_list(Port), "-servername", "localhost",
                 interop_peers:openssl_version(Version), "-CAfile", ca(), "-verify_return_error"]};
client_program(gnutls, Port, Version) ->
    {"gnutls-cli", ["--port", integer_to_list(Port), "--x509cafile", ca(), "--priority", gnutls_priority(Version),
                    "localhost"]}.

gnutls_priority(Version) ->
    "NORMAL:-VERS-ALL:+VERS-TLS" ++ string:slice(atom_to_list(Version), 4).

%% --- connections with OTP --------------------------------------------------------------------------

otp_server(Version, More, Options, Do) ->
    {ok, L} = ssl:listen(0, server_options(Version) ++ More),
    {ok, {_, Port}} = ssl:sockname(L),
    Connect = fun(Further) ->
                      Otp = otp(fun() ->
                                        {ok, T} = ssl:transport_accept(L, ?TIMEOUT),
                                        ssl:handshake(T, ?TIMEOUT)
                                end),
                      Result = ssl_port:connect("localhost", Port, client_options(Version) ++ Options ++ Further, ?TIMEOUT),
                      {opened(Result), Otp}
              end,
    try with_otp(Connect, Do) after ssl:close(L) end.

otp_client(Version, More, Options, Do) ->
    L = opened(ssl_port:listen(0, server_options(Version) ++ Options)),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Accept = fun(Further) ->
                     Otp = otp(fun() ->
                                       ssl:connect("localhost", Port, client_options(Version) ++ More ++ Further, ?TIMEOUT)
                               end),
                     {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
                     {opened(ssl_port:handshake(T, ?TIMEOUT)), Otp}
             end,
    try with_otp(Accept, Do) after ssl_port:close(L) end.

with_otp(Make, Do) ->
    {S, Otp} = Make([]),
    case is_function(Do, 2) of
        true -> Do(S, Otp);
        false -> Do(S, Otp, Make)
    end.

%% A process that owns OTP's end and does with it what it is told.
otp(Make) ->
    process_flag(trap_exit, true),
    Owner = self(),
    spawn_link(fun() -> {ok, Socket} = Make(), otp_loop(Owner, Socket) end).

otp_loop(Owner, Socket) ->
    receive
        {do, Fun} ->
            Owner ! {self(), Fun(Socket)},
            otp_loop(Owner, Socket)
    end.

ask(Otp, Fun) ->
    Otp ! {do, Fun},
    done(Otp).

done(Otp) ->
    receive
        {Otp, Result} -> Result;
        {'EXIT', Otp, Reason} -> throw({failed, Reason})
    after 2 * ?TIMEOUT ->
        throw({failed, otp_does_not_answer})
    end.

%% --- Node.js ---------------------------------------------------------------------------------------

hybrid_server(Peer) ->
    S = opened(ssl_port:connect("localhost", interop_peers:port(Peer, rsa),
                                [{supported_groups, [x25519mlkem768]} | client_options('tlsv1.3')], ?TIMEOUT)),
    echoed(S).

hybrid_client(Peer) ->
    of_program(Peer, 'tlsv1.3', "TLS_AES_128_GCM_SHA256", "X25519MLKEM768", [{supported_groups, [x25519mlkem768]}],
               fun(_) -> ok end).

npn_server(Peer) ->
    S = opened(ssl_port:connect("localhost", interop_peers:port(Peer, rsa),
                                [{client_preferred_next_protocols, {client, [<<"interop">>]}}
                                 | client_options('tlsv1.2')], ?TIMEOUT)),
    spoken_echo(S, Peer).

npn_client(Peer) ->
    of_program(Peer, 'tlsv1.2', "TLS_RSA_WITH_AES_128_CBC_SHA", "npn",
               [{next_protocols_advertised, [<<"interop">>]}, {ciphers, ["TLS_RSA_WITH_AES_128_CBC_SHA"]}],
               fun(S) -> is({ok, <<"interop">>}, ssl_port:negotiated_protocol(S)) end).

ssl2_hello(Peer) ->
    of_program(Peer, sslv3, "TLS_RSA_WITH_AES_128_CBC_SHA", "ssl2_hello",
               [{profile, r16}, {ciphers, ["TLS_RSA_WITH_AES_128_CBC_SHA"]}],
               fun(S) -> is({ok, [{protocol, sslv3}]}, ssl_port:connection_information(S, [protocol])) end).

%% A client among the long-lived programs, told one thing more.
of_program(Peer, Version, Suite, What, Options, Check) ->
    L = opened(ssl_port:listen(0, server_options(Version) ++ Options)),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Self = self(),
    Client = spawn_link(fun() ->
                                Self ! {self(), interop_peers:ask(Peer, [integer_to_list(Port), " ", atom_to_list(Version),
                                                                         " ", Suite, " rsa ", What])}
                        end),
    {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
    S = opened(ssl_port:handshake(T, ?TIMEOUT)),
    Check(S),
    {ok, Data} = ssl_port:recv(S, byte_size(interop_peers:payload()), ?TIMEOUT),
    ok = ssl_port:send(S, Data),
    receive
        {Client, ok} -> ssl_port:close(L);
        {Client, Failed} -> throw(Failed)
    end.

%% --- options ---------------------------------------------------------------------------------------

opened(Result) -> interop_refusals:accepted(Result).

client_options(Version) ->
    [binary, {active, false}, {versions, [Version]}, {verify, verify_peer}, {cacertfile, ca()}].

server_options(Version) ->
    [binary, {active, false}, {versions, [Version]}, {ip, {127, 0, 0, 1}}, {reuseaddr, true} | own_certificate()].

own_certificate() -> [{certfile, certificate()}, {keyfile, key()}].

asking() -> [{verify, verify_peer}, {fail_if_no_peer_cert, true}, {cacertfile, ca()}].

psk() -> {interop_certificates:psk_identity(), interop_certificates:psk(), sha256}.

staple() ->
    {ok, Response} = file:read_file(interop_certificates:file("rsa.ocsp")),
    Response.

certificate() -> interop_certificates:certificate(rsa).
key() -> interop_certificates:key(rsa).
ca() -> interop_certificates:file("ca.pem").
session_file() -> interop_certificates:file("session.pem").
early_file() -> interop_certificates:file("early.txt").
