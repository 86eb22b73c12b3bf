%% The interop matrix: what `make interop' runs.
%%
%% Both roles x {openssl, GnuTLS, OTP ssl, Go, Java} x {TLS 1.2, TLS 1.3} x {RSA, ECDSA, Ed25519}.
%% In every cell the client verifies the server, one line goes each way, and the negotiated version
%% must be the one asked for. A cell that is listed in gaps.eterm must fail, and shows its reason.
%% Peers named as arguments are met alone, and the table in docs/ stays as it is.
-module(ssl_port_interop).

-export([main/0, main/1]).

-define(TIMEOUT, 20000).
-define(DIR, "build/interop/ca").
-define(TABLE, "docs/interop.md").

peers() -> [openssl, gnutls, otp, go, java].
versions() -> ['tlsv1.2', 'tlsv1.3'].
keys() -> [rsa, ecdsa, ed25519].

main() ->
    main([]).

main(Names) ->
    Peers = case Names of
                [] -> peers();
                _ -> [list_to_existing_atom(Name) || Name <- Names]
            end,
    {ok, _} = application:ensure_all_started(ssl),
    {ok, _} = application:ensure_all_started(ssl_port),
    make_certificates(),
    {ok, Gaps} = file:consult("test/interop/gaps.eterm"),
    Cells = [{Peer, Role, Version, Key, cell(Peer, Role, Version, Key, Gaps)}
             || Peer <- Peers, Role <- [server, client], Version <- versions(), Key <- keys()],
    Peers =:= peers() andalso
        (ok = file:write_file(?TABLE, unicode:characters_to_binary(table(Cells)))),
    Count = fun(Kind) -> length([C || {_, _, _, _, {K, _}} = C <- Cells, K =:= Kind]) end,
    io:format("~b passed, ~b failed, ~b skipped~n", [Count(ok), Count(failed), Count(gap)]),
    halt(min(1, Count(failed))).

cell(Peer, Role, Version, Key, Gaps) ->
    Result =
        try
            in_own_process(fun() -> meet(Peer, Role, Version, Key) end),
            ok
        catch
            _:{failed, Reason} -> {failed, Reason};
            _:Reason -> {failed, Reason}
        end,
    Listed = [Why || {P, R, V, K, Why} <- Gaps,
                     matches(P, Peer), matches(R, Role), matches(V, Version), matches(K, Key)],
    Verdict =
        case {Result, Listed} of
            {ok, []} -> {ok, ""};
            {ok, [_ | _]} -> {failed, "works although gaps.eterm says it does not"};
            {{failed, _}, [Why | _]} -> {gap, Why};
            {{failed, Reason1}, []} -> {failed, Reason1}
        end,
    io:format("~-8s as ~-6s  ~-8s ~-8s ~tp~n", [Peer, Role, Version, Key, Verdict]),
    Verdict.

matches('_', _) -> true;
matches(Same, Same) -> true;
matches(_, _) -> false.

%% --- ssl_port as client --------------------------------------------------------------------------

meet(otp, server, Version, Key) ->
    {ok, L} = ssl:listen(0, own(Version, Key)),
    {ok, {_, Port}} = ssl:sockname(L),
    Server = in_background(fun() ->
                                   {ok, T} = ssl:transport_accept(L, ?TIMEOUT),
                                   {ok, S} = ssl:handshake(T, ?TIMEOUT),
                                   {ok, Line} = ssl:recv(S, 0, ?TIMEOUT),
                                   ok = ssl:send(S, Line),
                                   _ = ssl:recv(S, 0, ?TIMEOUT)
                           end),
    connect(Port, Version, <<"ping\n">>),
    await(Server);
meet(Peer, server, Version, Key) ->
    Port = free_port(),
    {Program, Arguments, Ready, Echo} = server(Peer, Port, Version, Key),
    with_program(Program, Arguments, Ready, fun() -> connect(Port, Version, Echo) end);

%% --- ssl_port as server --------------------------------------------------------------------------

meet(Peer, client, Version, Key) ->
    {ok, L} = ssl_port:listen(0, own(Version, Key)),
    {ok, {_, Port}} = ssl_port:sockname(L),
    Server = in_background(fun() ->
                                   {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
                                   {ok, S} = ssl_port:handshake(T, ?TIMEOUT),
                                   {ok, <<"ping\n">>} = ssl_port:recv(S, 5, ?TIMEOUT),
                                   version_is(S, Version),
                                   ok = ssl_port:send(S, <<"ping\n">>),
                                   _ = ssl_port:recv(S, 0, 2000),
                                   ssl_port:close(S)
                           end),
    client(Peer, Port, Version, Key),
    await(Server),
    ok = ssl_port:close(L).

connect(Port, Version, Echo) ->
    {ok, S} = ssl_port:connect("localhost", Port,
                               [binary, {active, false}, {versions, [Version]}, {verify, verify_peer},
                                {cacertfile, file("ca.pem")}], ?TIMEOUT),
    version_is(S, Version),
    ok = ssl_port:send(S, <<"ping\n">>),
    {ok, Echo} = ssl_port:recv(S, byte_size(Echo), ?TIMEOUT),
    ok = ssl_port:close(S).

version_is(S, Version) ->
    {ok, [{protocol, Version}]} = ssl_port:connection_information(S, [protocol]).

own(Version, Key) ->
    [binary, {active, false}, {ip, {127, 0, 0, 1}}, {reuseaddr, true}, {versions, [Version]},
     {certfile, certificate(Key)}, {keyfile, key(Key)}].

%% --- the peers -----------------------------------------------------------------------------------

%% {Program, Arguments, What it prints when it listens or connect, What comes back for "ping"}
server(openssl, Port, Version, Key) ->
    {"openssl", ["s_server", "-accept", integer_to_list(Port), "-cert", certificate(Key), "-key", key(Key),
                 openssl_version(Version), "-rev"], "ACCEPT", <<"gnip\n">>};
server(gnutls, Port, Version, Key) ->
    {"gnutls-serv", ["--echo", "--port", integer_to_list(Port), "--x509certfile", certificate(Key),
                     "--x509keyfile", key(Key), "--disable-client-cert",
                     "--priority", gnutls_priority(Version)], connect, <<"ping\n">>};
server(go, Port, Version, Key) ->
    {"build/interop/go_peer", ["server", integer_to_list(Port), atom_to_list(Version), file("ca.pem"),
                               certificate(Key), key(Key)], "ready", <<"ping\n">>};
server(java, Port, Version, Key) ->
    {"java", ["-cp", "build/interop", "Peer", "server", integer_to_list(Port), atom_to_list(Version),
              file("ca.pem"), keystore(Key)], "ready", <<"ping\n">>}.

client(otp, Port, Version, _) ->
    {ok, S} = ssl:connect("localhost", Port, [binary, {active, false}, {versions, [Version]},
                                              {verify, verify_peer}, {cacertfile, file("ca.pem")}], ?TIMEOUT),
    ok = ssl:send(S, <<"ping\n">>),
    {ok, <<"ping\n">>} = ssl:recv(S, 5, ?TIMEOUT),
    ssl:close(S);
client(openssl, Port, Version, _) ->
    "ping\n" = shell("(echo ping; sleep 0.5) | openssl s_client -connect localhost:~b -servername localhost "
                     "~s -CAfile ~s -verify_return_error -quiet 2>/dev/null",
                     [Port, openssl_version(Version), file("ca.pem")]);
client(gnutls, Port, Version, _) ->
    Out = shell("(echo ping; sleep 0.5) | gnutls-cli --port ~b --x509cafile ~s --priority ~s localhost 2>&1",
                [Port, file("ca.pem"), gnutls_priority(Version)]),
    {match, _} = re:run(Out, "^ping$", [multiline]);
client(go, Port, Version, Key) ->
    "done\n" = shell("build/interop/go_peer client ~b ~s ~s ~s ~s 2>&1 && echo done",
                     [Port, Version, file("ca.pem"), certificate(Key), key(Key)]);
client(java, Port, Version, Key) ->
    "done\n" = shell("java -cp build/interop Peer client ~b ~s ~s ~s 2>&1 && echo done",
                     [Port, Version, file("ca.pem"), keystore(Key)]).

openssl_version('tlsv1.2') -> "-tls1_2";
openssl_version('tlsv1.3') -> "-tls1_3".

gnutls_priority('tlsv1.2') -> "NORMAL:-VERS-ALL:+VERS-TLS1.2";
gnutls_priority('tlsv1.3') -> "NORMAL:-VERS-ALL:+VERS-TLS1.3".

with_program(Name, Arguments, Ready, Fun) ->
    Program = case filename:pathtype(Name) of
                  relative -> case os:find_executable(Name) of false -> filename:absname(Name); Found -> Found end;
                  _ -> Name
              end,
    Peer = open_port({spawn_executable, Program},
                     [{args, Arguments}, stderr_to_stdout, binary, exit_status, {line, 1000}]),
    {os_pid, Pid} = erlang:port_info(Peer, os_pid),
    try
        wait_until_ready(Peer, Ready, Arguments),
        Fun()
    after
        os:cmd("kill -9 " ++ integer_to_list(Pid)),
        catch port_close(Peer)
    end.

%% gnutls-serv says nothing reliable; a bare TCP connection shows that it listens.
wait_until_ready(_, connect, Arguments) ->
    ["--echo", "--port", Port | _] = Arguments,
    wait_until_listening(list_to_integer(Port), 200);
wait_until_ready(Peer, Text, _) ->
    receive
        {Peer, {data, {_, Line}}} ->
            case binary:match(Line, list_to_binary(Text)) of
                nomatch -> wait_until_ready(Peer, Text, []);
                _ -> ok
            end;
        {Peer, {exit_status, Status}} -> error({peer_ended, Status})
    after ?TIMEOUT ->
        error(peer_does_not_start)
    end.

wait_until_listening(_, 0) ->
    error(peer_does_not_listen);
wait_until_listening(Port, Tries) ->
    case gen_tcp:connect({127, 0, 0, 1}, Port, []) of
        {ok, S} -> gen_tcp:close(S);
        {error, _} -> timer:sleep(25), wait_until_listening(Port, Tries - 1)
    end.

free_port() ->
    {ok, L} = gen_tcp:listen(0, [{reuseaddr, true}]),
    {ok, Port} = inet:port(L),
    gen_tcp:close(L),
    Port.

%% A cell's failure must not leave its sockets and messages to the next one.
in_own_process(Fun) ->
    await(in_background(Fun)).

%% The reason is carried by `exit', which logs nothing: a gap is no error report.
in_background(Fun) ->
    spawn_monitor(fun() ->
                          exit(try Fun() of _ -> done catch _:Reason -> {failed, Reason} end)
                  end).

await({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, done} -> ok;
        {'DOWN', Monitor, process, Pid, Reason} -> error(Reason)
    after 2 * ?TIMEOUT ->
        exit(Pid, kill),
        error(timeout)
    end.

%% --- certificates --------------------------------------------------------------------------------

certificate(Key) -> file(atom_to_list(Key) ++ ".pem").
key(Key) -> file(atom_to_list(Key) ++ ".key").
keystore(Key) -> file(atom_to_list(Key) ++ ".p12").
file(Name) -> filename:join(?DIR, Name).

make_certificates() ->
    ok = filelib:ensure_dir(file("x")),
    made("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=interop CA' "
         "-addext keyUsage=critical,keyCertSign,cRLSign -keyout ~s -out ~s", [file("ca.key"), file("ca.pem")]),
    ok = file:write_file(file("leaf.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
                         "keyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n"),
    [make_certificate(Key, Parameters)
     || {Key, Parameters} <- [{rsa, "rsa:2048"}, {ecdsa, "ec -pkeyopt ec_paramgen_curve:P-256"}, {ed25519, "ed25519"}]].

make_certificate(Key, Parameters) ->
    Request = file("leaf.csr"),
    made("openssl req -newkey ~s -nodes -subj '/CN=~s' -keyout ~s -out ~s", [Parameters, Key, key(Key), Request]),
    made("openssl x509 -req -in ~s -CA ~s -CAkey ~s -CAcreateserial -days 2 -extfile ~s -out ~s",
         [Request, file("ca.pem"), file("ca.key"), file("leaf.ext"), certificate(Key)]),
    made("openssl pkcs12 -export -in ~s -inkey ~s -out ~s -passout pass:secret",
         [certificate(Key), key(Key), keystore(Key)]).

made(Format, Arguments) ->
    Out = shell("( " ++ Format ++ " ) 2>&1 && echo fine", Arguments),
    case lists:suffix("fine\n", Out) of
        true -> ok;
        false -> error({Format, Out})
    end.

shell(Format, Arguments) ->
    os:cmd(lists:flatten(io_lib:format(Format, Arguments))).

%% --- the table -----------------------------------------------------------------------------------

table(Cells) ->
    ["# Interoperability\n\n",
     "Written by `make interop`. In every cell the client verified the server's certificate, one line went\n",
     "each way, and the version was the one asked for. Peers: ", versions_of_peers(), ".\n\n",
     "| `ssl_port` as | peer |", [[" ", words(V), " ", words(K), " |"] || V <- versions(), K <- keys()], "\n",
     "| --- | --- |", [" --- |" || _ <- versions(), _ <- keys()], "\n",
     [["| ", other(Role), " | ", words(Peer), " |",
       [[" ", mark(Verdict), " |"] || {P, R, _, _, Verdict} <- Cells, P =:= Peer, R =:= Role], "\n"]
      || Peer <- peers(), Role <- [server, client]],
     reasons(Cells)].

reasons(Cells) ->
    Reasons = lists:usort([{Peer, Role, Why} || {Peer, Role, _, _, {gap, Why}} <- Cells]),
    [["\n", words(Peer), " as ", atom_to_list(Role), ": ", Why, "\n"] || {Peer, Role, Why} <- Reasons].

mark({ok, _}) -> "yes";
mark({gap, _}) -> "(see below)";
mark({failed, _}) -> "**fails**".

other(server) -> "client";
other(client) -> "server".

words(openssl) -> "OpenSSL";
words(gnutls) -> "GnuTLS";
words(otp) -> "OTP ssl";
words(go) -> "Go crypto/tls";
words(java) -> "Java JSSE";
words('tlsv1.2') -> "1.2";
words('tlsv1.3') -> "1.3";
words(rsa) -> "RSA";
words(ecdsa) -> "ECDSA";
words(ed25519) -> "Ed25519".

versions_of_peers() ->
    First = fun(Command) -> string:trim(hd(string:split(shell(Command, []), "\n"))) end,
    lists:join(", ", [First("openssl version"), First("gnutls-cli --version"),
                      "OTP " ++ erlang:system_info(otp_release), First("go version"),
                      First("java -version 2>&1")]).
