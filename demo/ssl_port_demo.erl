%% The demonstration: what `make demo` runs.
%%
%% One BEAM node starts `ssl_port' and meets real peers on loopback, with a throw-away CA made on
%% the spot: the openssl command line in both roles, curl, and OTP's own `ssl' in both roles. Each
%% step prints what happened and whether it is what should have happened; any difference makes the
%% exit status 1.
-module(ssl_port_demo).

-export([main/0]).

-define(MEGABYTE, 1048576).
-define(BULK, 100 * ?MEGABYTE).
-define(TIMEOUT, 60000).

main() ->
    Dir = filename:join("build/demo", "ca"),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    try
        step("A throw-away CA", fun() -> make_ca(Dir) end),
        step("ssl_port starts", fun start/0),
        run(Dir)
    catch
        throw:cannot_go_on -> ok
    end,
    {Passed, Broken} = lists:partition(fun(Result) -> Result =:= ok end, results()),
    io:format("~n~b passed, ~b failed, 0 skipped~n", [length(Passed), length(Broken)]),
    halt(min(1, length(Broken))).

run(Dir) ->
    heading("ssl_port as client"),
    step("openssl s_server, TLS 1.3, verified", fun() -> to_s_server(Dir, "-tls1_3") end),
    step("openssl s_server, TLS 1.2, verified", fun() -> to_s_server(Dir, "-tls1_2") end),
    step("OTP ssl server, verified", fun() -> to_otp_server(Dir) end),
    heading("ssl_port as server"),
    step("openssl s_client sends a line", fun() -> from_s_client(Dir) end),
    step("curl gets a page over HTTPS", fun() -> from_curl(Dir) end),
    step("OTP ssl client, with a client certificate", fun() -> from_otp_client(Dir) end),
    heading("Sockets"),
    step("active mode: true, once, 3, passive", fun() -> active_mode(Dir) end),
    step("100 MB from openssl and back, SHA-256", fun() -> bulk(Dir) end),
    heading("What is refused"),
    step("a server whose CA is not trusted", fun() -> refused_ca(Dir) end),
    step("a certificate for another name", fun() -> refused_name(Dir) end).

%% --- steps ---------------------------------------------------------------------------------------

heading(Text) ->
    io:format("~n~s~n", [Text]).

%% A step returns the words to print, or fails in any way it likes.
step(Name, Fun) ->
    Before = erlang:monotonic_time(millisecond),
    Result =
        try
            {ok, Fun()}
        catch
            Class:Reason:Stack -> {Class, Reason, Stack}
        end,
    Took = erlang:monotonic_time(millisecond) - Before,
    case Result of
        {ok, Words} ->
            note(ok),
            io:format("  ok    ~-44s ~6b ms  ~ts~n", [Name, Took, Words]);
        {_, Why, Where} ->
            note(failed),
            io:format("  FAIL  ~-44s ~6b ms~n        ~tp~n        ~tp~n", [Name, Took, Why, Where]),
            is_fatal(Name) andalso throw(cannot_go_on)
    end.

is_fatal("A throw-away CA") -> true;
is_fatal("ssl_port starts") -> true;
is_fatal(_) -> false.

note(Result) ->
    put(results, [Result | results()]).

results() ->
    case get(results) of
        undefined -> [];
        Results -> Results
    end.

start() ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, _} = application:ensure_all_started(ssl_port),
    [{ssl_app, Version} | _] = ssl_port:versions(),
    io_lib:format("ssl_port ~ts on OTP ~s", [Version, erlang:system_info(otp_release)]).

%% --- ssl_port as client --------------------------------------------------------------------------

to_s_server(Dir, Flag) ->
    %% -rev sends every line back reversed.
    Port = free_port(),
    with_peer(openssl(["s_server", "-accept", integer_to_list(Port), "-cert", file(Dir, "server.pem"),
                       "-key", file(Dir, "server.key"), Flag, "-rev", "-quiet"]), Port,
              fun() ->
                      {ok, S} = ssl_port:connect("localhost", Port, client_options(Dir), ?TIMEOUT),
                      ok = ssl_port:send(S, "drawn onward\n"),
                      {ok, <<"drawno nward\n">>} = ssl_port:recv(S, 13, ?TIMEOUT),
                      Words = parameters(S),
                      ok = ssl_port:close(S),
                      Words
              end).

to_otp_server(Dir) ->
    {ok, L} = ssl:listen(0, server_options(Dir)),
    {ok, {_, Port}} = ssl:sockname(L),
    Server = in_background(
               fun() ->
                       {ok, T} = ssl:transport_accept(L, ?TIMEOUT),
                       {ok, S} = ssl:handshake(T, ?TIMEOUT),
                       {ok, Data} = ssl:recv(S, 0, ?TIMEOUT),
                       ok = ssl:send(S, ["echo:", Data]),
                       {error, closed} = ssl:recv(S, 0, ?TIMEOUT)
               end),
    {ok, S} = ssl_port:connect("localhost", Port, client_options(Dir), ?TIMEOUT),
    ok = ssl_port:send(S, <<"hello">>),
    {ok, <<"echo:hello">>} = ssl_port:recv(S, 10, ?TIMEOUT),
    Words = parameters(S),
    ok = ssl_port:close(S),
    await(Server),
    ssl:close(L),
    Words.

%% --- ssl_port as server --------------------------------------------------------------------------

from_s_client(Dir) ->
    {L, Port} = listen(server_options(Dir)),
    Server = in_background(
               fun() ->
                       S = accept(L),
                       {ok, <<"ping\n">>} = ssl_port:recv(S, 5, ?TIMEOUT),
                       ok = ssl_port:send(S, <<"pong\n">>),
                       Words = parameters(S),
                       ok = ssl_port:close(S),
                       Words
               end),
    Out = os:cmd(lists:flatten(
                   io_lib:format("echo ping | openssl s_client -connect localhost:~b -servername localhost "
                                 "-CAfile ~s -verify_return_error -quiet 2>&1",
                                 [Port, file(Dir, "ca.pem")]))),
    {match, _} = re:run(Out, "pong"),
    Words = await(Server),
    ok = ssl_port:close(L),
    Words.

from_curl(Dir) ->
    {L, Port} = listen([{alpn_preferred_protocols, [<<"http/1.1">>]} | server_options(Dir)]),
    Page = <<"<h1>served by ssl_port</h1>">>,
    Server = in_background(
               fun() ->
                       S = accept(L),
                       _Request = read_request(S, <<>>),
                       {ok, Protocol} = ssl_port:negotiated_protocol(S),
                       ok = ssl_port:send(S, ["HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ",
                                              integer_to_list(byte_size(Page)), "\r\n\r\n", Page]),
                       ok = ssl_port:close(S),
                       ["ALPN ", Protocol]
               end),
    Out = os:cmd(lists:flatten(
                   io_lib:format("curl --silent --show-error --http1.1 --cacert ~s https://localhost:~b/",
                                 [file(Dir, "ca.pem"), Port]))),
    Words = await(Server),
    Out = binary_to_list(Page),
    ok = ssl_port:close(L),
    Words.

read_request(S, Sofar) ->
    case binary:match(Sofar, <<"\r\n\r\n">>) of
        nomatch ->
            {ok, More} = ssl_port:recv(S, 0, ?TIMEOUT),
            read_request(S, <<Sofar/binary, More/binary>>);
        _ ->
            Sofar
    end.

from_otp_client(Dir) ->
    {L, Port} = listen([{verify, verify_peer}, {fail_if_no_peer_cert, true},
                        {cacertfile, file(Dir, "ca.pem")} | server_options(Dir)]),
    Server = in_background(
               fun() ->
                       S = accept(L),
                       {ok, <<"hello">>} = ssl_port:recv(S, 5, ?TIMEOUT),
                       {ok, Der} = ssl_port:peercert(S),
                       ok = ssl_port:send(S, <<"welcome">>),
                       Words = io_lib:format("~s, client certificate of ~b bytes",
                                             [parameters(S), byte_size(Der)]),
                       {error, closed} = ssl_port:recv(S, 0, ?TIMEOUT),
                       Words
               end),
    {ok, C} = ssl:connect("localhost", Port, [{certfile, file(Dir, "client.pem")},
                                              {keyfile, file(Dir, "client.key")} | client_options(Dir)]),
    ok = ssl:send(C, <<"hello">>),
    {ok, <<"welcome">>} = ssl:recv(C, 7, ?TIMEOUT),
    ok = ssl:close(C),
    Words = await(Server),
    ok = ssl_port:close(L),
    Words.

%% --- sockets -------------------------------------------------------------------------------------

active_mode(Dir) ->
    {ok, L} = ssl:listen(0, server_options(Dir)),
    {ok, {_, Port}} = ssl:sockname(L),
    Server = in_background(
               fun() ->
                       {ok, T} = ssl:transport_accept(L, ?TIMEOUT),
                       {ok, S} = ssl:handshake(T, ?TIMEOUT),
                       echo_lines(S)
               end),
    {ok, S} = ssl_port:connect("localhost", Port, [{packet, line}, {active, true} |
                                                   proplists:delete(active, client_options(Dir))]),
    Exchange = fun(Line) ->
                       ok = ssl_port:send(S, Line),
                       receive {ssl, S, Line} -> ok after ?TIMEOUT -> error({no_message, Line}) end
               end,
    Exchange(<<"one\n">>),
    Exchange(<<"two\n">>),
    ok = ssl_port:setopts(S, [{active, once}]),
    Exchange(<<"three\n">>),
    {ok, [{active, false}]} = ssl_port:getopts(S, [active]),
    ok = ssl_port:setopts(S, [{active, 3}]),
    [Exchange(Line) || Line <- [<<"four\n">>, <<"five\n">>, <<"six\n">>]],
    receive {ssl_passive, S} -> ok after ?TIMEOUT -> error(no_ssl_passive) end,
    ok = ssl_port:send(S, <<"quit\n">>),
    ok = ssl_port:setopts(S, [{active, true}]),
    receive {ssl_closed, S} -> ok after ?TIMEOUT -> error(no_ssl_closed) end,
    await(Server),
    ssl:close(L),
    "six messages, ssl_passive, ssl_closed".

echo_lines(S) ->
    case ssl:recv(S, 0, ?TIMEOUT) of
        {ok, <<"quit\n">>} -> ssl:close(S);
        {ok, Line} -> ok = ssl:send(S, Line), echo_lines(S)
    end.

%% The peer is openssl: it sends a file of 100 MB and writes what comes back into another.
bulk(Dir) ->
    In = file(Dir, "bulk.in"),
    Out = file(Dir, "bulk.out"),
    ok = file:write_file(In, [crypto:strong_rand_bytes(?MEGABYTE) || _ <- lists:seq(1, 100)]),
    {L, Port} = listen(server_options(Dir)),
    Server = in_background(
               fun() ->
                       S = accept(L),
                       Begin = erlang:monotonic_time(millisecond),
                       Received = receive_bytes(S, ?BULK, []),
                       Middle = erlang:monotonic_time(millisecond),
                       ok = ssl_port:send(S, Received),
                       ok = ssl_port:close(S),
                       End = erlang:monotonic_time(millisecond),
                       {crypto:hash(sha256, Received), Middle - Begin, End - Middle}
               end),
    _ = os:cmd(lists:flatten(
                 io_lib:format("openssl s_client -connect localhost:~b -servername localhost -CAfile ~s "
                               "-verify_return_error -quiet < ~s > ~s 2>~s",
                               [Port, file(Dir, "ca.pem"), In, Out, file(Dir, "bulk.err")]))),
    {Sum, Down, Up} = await(Server),
    {ok, Sent} = file:read_file(In),
    {ok, Returned} = file:read_file(Out),
    {same, Sum} = {same, crypto:hash(sha256, Sent)},
    {same, Sum} = {same, crypto:hash(sha256, Returned)},
    ok = ssl_port:close(L),
    ok = file:delete(In),
    ok = file:delete(Out),
    io_lib:format("received at ~b MB/s, sent at ~b MB/s", [rate(Down), rate(Up)]).

rate(Milliseconds) ->
    100 * 1000 div max(1, Milliseconds).

receive_bytes(_, 0, Chunks) ->
    iolist_to_binary(lists:reverse(Chunks));
receive_bytes(S, Left, Chunks) ->
    {ok, Chunk} = ssl_port:recv(S, 0, ?TIMEOUT),
    receive_bytes(S, Left - byte_size(Chunk), [Chunk | Chunks]).

%% --- what is refused -----------------------------------------------------------------------------

refused_ca(Dir) ->
    refused(Dir, "stranger", unknown_ca).

refused_name(Dir) ->
    refused(Dir, "elsewhere", handshake_failure).

refused(Dir, Name, Alert) ->
    Port = free_port(),
    with_peer(openssl(["s_server", "-accept", integer_to_list(Port), "-cert", file(Dir, Name ++ ".pem"),
                       "-key", file(Dir, Name ++ ".key"), "-quiet"]), Port,
              fun() ->
                      {error, {tls_alert, {Alert, _}} = Reason} =
                          ssl_port:connect("localhost", Port, client_options(Dir), ?TIMEOUT),
                      io_lib:format("~p~n~ts", [Alert, indent(ssl_port:format_error(Reason))])
              end).

indent(Text) ->
    lists:join("\n", [["          " | string:trim(Line)]
                      || Line <- string:split(string:trim(Text), "\n", all)]).

%% --- the peers -----------------------------------------------------------------------------------

client_options(Dir) ->
    [binary, {active, false}, {verify, verify_peer}, {cacertfile, file(Dir, "ca.pem")}].

server_options(Dir) ->
    [binary, {active, false}, {reuseaddr, true}, {ip, {127, 0, 0, 1}},
     {certfile, file(Dir, "server.pem")}, {keyfile, file(Dir, "server.key")}].

listen(Options) ->
    {ok, L} = ssl_port:listen(0, Options),
    {ok, {_, Port}} = ssl_port:sockname(L),
    {L, Port}.

accept(L) ->
    {ok, T} = ssl_port:transport_accept(L, ?TIMEOUT),
    {ok, S} = ssl_port:handshake(T, ?TIMEOUT),
    S.

parameters(S) ->
    {ok, Info} = ssl_port:connection_information(S, [protocol, selected_cipher_suite]),
    Suite = proplists:get_value(selected_cipher_suite, Info),
    io_lib:format("~s ~s", [proplists:get_value(protocol, Info), ssl:suite_to_str(Suite)]).

openssl(Arguments) ->
    {os:find_executable("openssl"), Arguments}.

with_peer({Program, Arguments}, Port, Fun) ->
    Peer = open_port({spawn_executable, Program},
                     [{args, Arguments}, stderr_to_stdout, binary, exit_status]),
    {os_pid, Pid} = erlang:port_info(Peer, os_pid),
    try
        wait_until_listening(Port, 100),
        Fun()
    after
        os:cmd("kill " ++ integer_to_list(Pid)),
        catch port_close(Peer)
    end.

wait_until_listening(_, 0) ->
    error(peer_does_not_listen);
wait_until_listening(Port, Tries) ->
    case gen_tcp:connect("localhost", Port, []) of
        {ok, S} -> gen_tcp:close(S);
        {error, _} -> timer:sleep(50), wait_until_listening(Port, Tries - 1)
    end.

free_port() ->
    {ok, L} = gen_tcp:listen(0, [{reuseaddr, true}]),
    {ok, Port} = inet:port(L),
    gen_tcp:close(L),
    Port.

in_background(Fun) ->
    spawn_monitor(fun() -> exit({done, Fun()}) end).

await({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {done, Result}} -> Result;
        {'DOWN', Monitor, process, Pid, Reason} -> error({peer, Reason})
    after ?TIMEOUT ->
        error(peer_timeout)
    end.

file(Dir, Name) ->
    filename:join(Dir, Name).

make_ca(Dir) ->
    authority(Dir, "ca", "ssl_port demo CA"),
    authority(Dir, "other", "another CA"),
    certificate(Dir, "server", "ca", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
    certificate(Dir, "client", "ca", "extendedKeyUsage=clientAuth"),
    certificate(Dir, "elsewhere", "ca", "subjectAltName=DNS:elsewhere.example"),
    certificate(Dir, "stranger", "other", "subjectAltName=DNS:localhost"),
    "ECDSA P-256, made by openssl".

authority(Dir, Name, Subject) ->
    shell(Dir, ["openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                "-subj '/CN=", Subject, "' -addext keyUsage=critical,keyCertSign,cRLSign "
                "-keyout ", Name, ".key -out ", Name, ".pem"]).

certificate(Dir, Name, Authority, Extension) ->
    ok = file:write_file(file(Dir, Name ++ ".ext"), Extension),
    shell(Dir, ["openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=", Name,
                "' -keyout ", Name, ".key -out ", Name, ".csr && openssl x509 -req -in ", Name,
                ".csr -CA ", Authority, ".pem -CAkey ", Authority, ".key -CAcreateserial -days 2 "
                "-extfile ", Name, ".ext -out ", Name, ".pem"]).

shell(Dir, Command) ->
    Out = os:cmd(lists:flatten(["cd ", Dir, " && ( ", Command, " ) 2>&1 && echo fine"])),
    case lists:suffix("fine\n", Out) of
        true -> ok;
        false -> error({Command, Out})
    end.
