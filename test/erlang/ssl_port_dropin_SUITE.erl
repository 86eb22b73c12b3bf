%% The drop-in module `ssl', in nodes of its own, under programs of OTP that are not changed.
-module(ssl_port_dropin_SUITE).

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {seconds, 120}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

%% The environment that finds the port program, and the drop-in in a directory.
init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    Env = application:get_all_env(ssl_port),
    ssl_port_test_lib:stop(Before),
    Dir = filename:join(proplists:get_value(priv_dir, Config), "dropin"),
    ok = ssl_port_dropin:write(Dir),
    [{env, Env}, {dropin, Dir} | Config].

end_per_suite(_Config) ->
    ok.

%% Runs a function of this module in a node that has Dirs at the head of its code path.
elsewhere(Config, Dirs, Name) ->
    Here = [filename:dirname(code:which(?MODULE)), filename:dirname(code:which(ssl_port))],
    Args = lists:append([["-pa", Dir] || Dir <- Here ++ Dirs]),
    {ok, Peer, _} = peer:start_link(#{connection => standard_io, args => Args}),
    try peer:call(Peer, ?MODULE, run, [Name, proplists:get_value(env, Config)], 90000)
    after peer:stop(Peer)
    end.

run(Name, Env) ->
    logger:set_primary_config(level, critical),
    ok = application:load(ssl_port),
    [ok = application:set_env(ssl_port, Key, Value) || {Key, Value} <- Env],
    ?MODULE:Name().

case_every_function(Config) ->
    Ssl = ssl:module_info(exports),
    [] = Ssl -- elsewhere(Config, [proplists:get_value(dropin, Config)], exports).

exports() ->
    ssl:module_info(exports).

case_start(Config) ->
    ok = elsewhere(Config, [proplists:get_value(dropin, Config)], starting).

starting() ->
    {ok, _} = application:ensure_all_started(ssl),
    undefined = whereis(ssl_port_sup),
    {ok, L} = ssl:listen(0, [{reuseaddr, true}]),
    true = is_pid(whereis(ssl_port_sup)),
    %% The shape that libraries look into.
    {sslsocket, nil, {Below, _}} = L,
    true = is_port(Below),
    ok = ssl:close(L),
    ok = ssl:stop(),
    ok = ssl:start(),
    ok.

case_httpd_and_httpc(Config) ->
    ok = elsewhere(Config, [proplists:get_value(dropin, Config)], web).

%% A page of some size over HTTPS, with the certificates of both sides.
web() ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, _} = application:ensure_all_started(inets),
    #{server := Server, client := Client} = ssl_port_test_lib:certificates(),
    Dir = filename:join("/tmp", "ssl_port_dropin_" ++ os:getpid()),
    Page = binary:copy(<<"0123456789abcdef">>, 20000),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    ok = file:write_file(filename:join(Dir, "page.txt"), Page),
    try
        {ok, Httpd} = inets:start(httpd, [{port, 0}, {bind_address, {127, 0, 0, 1}},
                                          {server_name, "localhost"}, {server_root, Dir},
                                          {document_root, Dir},
                                          {socket_type, {ssl, [{verify, verify_peer},
                                                               {fail_if_no_peer_cert, true}
                                                               | Server]}}]),
        [{port, Port}] = httpd:info(Httpd, [port]),
        Url = "https://localhost:" ++ integer_to_list(Port) ++ "/page.txt",
        Options = [{ssl, [{verify, verify_peer} | Client]}, {timeout, 20000}],
        [{ok, {{_, 200, _}, _, Page}} =
             httpc:request(get, {Url, []}, Options, [{body_format, binary}]) || _ <- [1, 2, 3]],
        %% No certificate of the client, no page.
        %% (In a profile of its own: httpc would take the connection that is there.)
        {ok, _} = inets:start(httpc, [{profile, stranger}]),
        {error, _} = httpc:request(get, {Url, []},
                                   [{ssl, [{verify, verify_none}]}, {timeout, 20000}], [], stranger),
        #{handshakes_client := C, handshakes_server := S} = ssl_port_metrics:counters(),
        true = C >= 1 andalso S >= 1,
        ok = inets:stop(httpd, Httpd)
    after
        file:delete(filename:join(Dir, "page.txt")),
        file:del_dir(Dir)
    end,
    ok.

case_relative_files(Config) ->
    ok = elsewhere(Config, [proplists:get_value(dropin, Config)], relative_files).

%% Names of files start in the folder that the node is in now, not in that in which the program was started.
relative_files() ->
    ok = ssl:start(),
    #{server := Server, client := Client} = ssl_port_test_lib:certificates(),
    {KeyType, Key} = proplists:get_value(key, Server),
    Files = [{"ca.pem", [{'Certificate', Ca, not_encrypted} || Ca <- proplists:get_value(cacerts, Client)]},
             {"server.pem", [{'Certificate', proplists:get_value(cert, Server), not_encrypted}]},
             {"server.key", [{KeyType, Key, not_encrypted}]}],
    Dir = filename:join("/tmp", "ssl_port_files_" ++ os:getpid()),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    ok = file:set_cwd(Dir),
    try
        [ok = file:write_file(Name, public_key:pem_encode(Entries)) || {Name, Entries} <- Files],
        Cfg = #{c => ssl, s => ssl, versions => ['tlsv1.3'],
                server => [{certfile, "server.pem"}, {keyfile, "server.key"}],
                client => [{cacertfile, "ca.pem"}, {verify, verify_peer}]},
        ok = ssl_port_test_lib:close(ssl_port_test_lib:pair(Cfg)),
        {ok, L} = ssl:listen(0, [{certfile, "server.pem"}, {keyfile, "server.key"}]),
        {ok, {_, Port}} = ssl:sockname(L),
        {error, {options, {cacertfile, "none.pem", {error, enoent}}}} =
            ssl:connect("localhost", Port, [{cacertfile, "none.pem"}, {verify, verify_peer}]),
        ok = ssl:close(L)
    after
        [file:delete(Name) || {Name, _} <- Files],
        file:set_cwd("/"),
        file:del_dir(Dir)
    end,
    ok.

case_install(Config) ->
    ok = elsewhere(Config, [], installing).

installing() ->
    {ok, _} = application:ensure_all_started(ssl),
    Original = code:which(ssl),
    ok = ssl_port_dropin:uninstall(),
    ok = ssl_port_dropin:install(),
    ok = ssl_port_dropin:install(),
    #{server := Server, client := Client} = ssl_port_test_lib:certificates(),
    Cfg = #{c => ssl, s => ssl, versions => ['tlsv1.3'], server => Server, client => Client},
    P = #{client_socket := A, server_socket := B} = ssl_port_test_lib:pair(Cfg, [], []),
    {sslsocket, {gen_tcp, Below, _, _}, [_ | _]} = A,
    {ok, _} = inet:peername(Below),
    ok = ssl:send(A, "through"),
    {ok, <<"through">>} = ssl:recv(B, 7, 5000),
    {ok, #{state := open}} = ssl_port:info(A),
    ok = ssl_port_test_lib:close(P),
    ok = ssl_port_dropin:uninstall(),
    Original = code:which(ssl),
    Q = #{client_socket := C} = ssl_port_test_lib:pair(Cfg, [], []),
    {sslsocket, {gen_tcp, _, tls_connection, _}, _} = C,
    ok = ssl_port_test_lib:close(Q),
    ok.
