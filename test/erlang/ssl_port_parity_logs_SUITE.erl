%% Parity of what goes to logger (S-O26, A-O15, R41): the same failures at both ends, and the same
%% notices and warnings. Of a notice, its level, its domain and its first line are compared, but
%% for the place in the code that raised the alert; the reason behind it, in the second line, is
%% in the words of each implementation.
-module(ssl_port_parity_logs_SUITE).
-include("ssl_port_parity.hrl").

init_per_suite(Config) ->
    Parity = ssl_port_parity:init_per_suite(Config, []),
    Key = {rsa, 2048, 65537},
    [{certificates, ssl_port_test_lib:certificates(Key)}, {strangers, ssl_port_test_lib:certificates(Key)} | Parity].

%% Alerts of a client, which its server receives.
case_unknown_ca(Config) ->
    lines(Config, 2, [{cacerts, strange(client, cacerts, Config)}], []).

case_wrong_host(Config) ->
    lines(Config, 2, [{server_name_indication, "other.example"}], []).

case_verify_fun(Config) ->
    Refuse = fun(_, {extension, _}, S) -> {unknown, S}; (_, _, _) -> {fail, "no"} end,
    lines(Config, 2, [{verify_fun, {Refuse, []}}], []).

%% Alerts of a server.
case_no_client_certificate(Config) ->
    lines(Config, 2, [{cert, undefined}, {key, undefined}], [{verify, verify_peer}, {fail_if_no_peer_cert, true}]).

case_unknown_client(Config) ->
    lines(Config, 2, [{Name, strange(client, Name, Config)} || Name <- [cert, key]],
          [{verify, verify_peer}, {fail_if_no_peer_cert, true}]).

case_no_shared_version(Config) ->
    lines(Config, 2, [{versions, ['tlsv1.1']}], []).

case_no_shared_suite(Config) ->
    [lines([{versions, [Version]} | Config], 2, [{ciphers, [A]}], [{ciphers, [B]}])
     || {Version, A, B} <- [{'tlsv1.2', "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"},
                            {'tlsv1.3', "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"}]].

case_no_shared_protocol(Config) ->
    lines(Config, 2, [{alpn_advertised_protocols, [<<"a">>]}], [{alpn_preferred_protocols, [<<"b">>]}]).

%% What is no failure is no line; a server that nobody verifies is a warning to a client that has not said so.
case_nothing_wrong(Config) ->
    lines(Config, 0, [], []).

case_nobody_verified(Config) ->
    lines(Config, 1, [{verify, undefined}], []),
    lines(Config, 0, [{verify, verify_none}], []).

%% Levels: each end by its own options.
case_levels(Config) ->
    Cacerts = {cacerts, strange(client, cacerts, Config)},
    [lines([{versions, ['tlsv1.3']} | Config], Count, [Cacerts | Client], Server)
     || {Count, Client, Server} <- [{0, [{log_level, none}], [{log_level, none}]},
                                    {1, [{log_level, error}], []},
                                    {1, [], [{log_level, warning}]},
                                    {2, [{log_level, notice}], [{log_level, info}]},
                                    {0, [{log_alert, false}], [{log_alert, false}]},
                                    {2, [{log_alert, true}], [{log_alert, true}]}]],
    [lines([{versions, ['tlsv1.3']} | Config], Count, [{verify, undefined}, Level], [])
     || {Count, Level} <- [{1, {log_level, warning}}, {0, {log_level, error}}]].

strange(Side, Name, Config) ->
    proplists:get_value(Name, maps:get(Side, proplists:get_value(strangers, Config))).

%% The lines of one connection; options that are undefined are not given.
lines(Config, Count, ClientOptions, ServerOptions) ->
    ssl_port_parity:same(Config, fun(Cfg) ->
        #{versions := Versions, client := Client, server := Server} = Cfg,
        Events = ssl_port_test_lib:events(
                   fun() ->
                           connect(Cfg, over(ClientOptions, [{versions, Versions}, {verify, verify_peer} | Client]),
                                   over(ServerOptions, [{versions, Versions} | Server]))
                   end, Count),
        lists:sort([seen(Event) || Event <- Events])
    end).

over(Options, Defaults) ->
    Given = Options ++ [Default || {Name, _} = Default <- Defaults, not lists:keymember(Name, 1, Options)],
    [Option || {_, Value} = Option <- Given, Value =/= undefined].

%% A client of TLS 1.3 hears only later that it is refused.
connect(#{c := C, s := S}, ClientOptions, ServerOptions) ->
    {ok, L} = S:listen(0, [{active, false}, {ip, {127, 0, 0, 1}} | ServerOptions]),
    {ok, {_, Port}} = S:sockname(L),
    Me = self(),
    spawn_link(fun() ->
                       {ok, T} = S:transport_accept(L, 10000),
                       Result = S:handshake(T, 10000),
                       _ = [ok = S:send(Socket, "up") || {ok, Socket} <- [Result]],
                       Me ! {server, self(), Result},
                       receive done -> ok end
               end),
    Result = C:connect("localhost", Port, [{active, false} | ClientOptions], 10000),
    _ = [C:recv(Socket, 0, 10000) || {ok, Socket} <- [Result]],
    receive {server, Pid, _} -> ok end,
    _ = [C:close(Socket) || {ok, Socket} <- [Result]],
    Pid ! done,
    ok = S:close(L).

seen(#{level := Level, meta := Meta, msg := {report, _}} = Event) ->
    [Line | Rest] = string:split(ssl_port_test_lib:line(Event), "\n"),
    %% Only alerts have a reason of their own.
    More = case string:find(Line, "ALERT") of nomatch -> Rest; _ -> alert end,
    {Level, maps:get(domain, Meta, none), re:replace(Line, " at [^ ]+ generated", " generated", [{return, list}]), More}.
