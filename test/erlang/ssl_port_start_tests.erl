%% A port program that cannot run is a clear error of the start (R49, R40).
-module(ssl_port_start_tests).

-include_lib("eunit/include/eunit.hrl").

-define(P, ssl_port_program).

start_test_() ->
    {foreach,
     fun() ->
             Before = ?P:start(),
             ok = ssl_port:stop(),
             Before
     end,
     fun ?P:stop/1,
     [{timeout, 30, Test}
      || Test <- [fun start_and_stop/0, fun not_started/0, fun no_node/0, fun not_executable/0,
                  fun no_program/0, fun old_node_fails/0, fun old_node_says_hello/0,
                  fun other_protocol/0, fun dies_at_once/0, fun owners_hear_of_the_stop/0,
                  fun bad_environment/0]]}.

%% R50
bad_environment() ->
    [begin
         application:set_env(ssl_port, Name, Value),
         ?assertEqual({error, {ssl_port, {bad_env, {Name, Value}}}}, ssl_port:start()),
         application:unset_env(ssl_port, Name)
     end || {Name, Value} <- [{profile, otp17}, {profile, "r16"}, {protocol_version, ['tlsv1.4']},
                              {session_lifetime, -1}, {session_cache_client_max, foo},
                              {session_cb, "foo"}, {session_cb_init_args, foo}, {internal_active_n, 0}, {transport, udp}, {bypass_pem_cache, 1}]],
    %% C12: a session cache that is none.
    application:set_env(ssl_port, session_cb, foo),
    ?assertEqual({error, {ssl_port, {session_cb, foo, {error, undef}}}}, ssl_port:start()),
    [application:set_env(ssl_port, Name, Value)
     || {Name, Value} <- [{profile, r16}, {protocol_version, ['tlsv1.2']}, {session_cb, ssl_port_ets_sessions}]],
    ?assertEqual(ok, ssl_port:start()),
    %% Set later, it is as if it were not set.
    application:set_env(ssl_port, session_lifetime, foo),
    application:set_env(ssl_port, profile, foo),
    ?assertMatch([{profile, Running}, {protocol_version, _}, {session_cb, _}]
                   when Running =/= foo, lists:keydelete(main, 1, ssl_port_environment:values())),
    [application:unset_env(ssl_port, Name)
     || Name <- [profile, protocol_version, session_cb, session_lifetime]].

start_and_stop() ->
    ?assertEqual(ok, ssl_port:start()),
    ?assertEqual(ok, ssl_port:start()),
    ?assertEqual(ok, ssl_port:start(transient)),
    ?assertEqual(ok, ssl_port:stop()),
    ?assertEqual({error, {not_started, ssl_port}}, ssl_port:stop()),
    ?assertMatch({ok, [ssl_port]}, application:ensure_all_started(ssl_port)).

not_started() ->
    ?assertEqual({error, ssl_not_started}, ssl_port:connect("echo", 1, [])),
    ?assertEqual({error, ssl_not_started}, ssl_port:listen(0, [{active, false}])),
    %% Like these two, whatever needs no program answers all the same.
    ?assertEqual([Name || {Name, _} <- ssl:versions()],
                 [Name || {Name, _} <- ssl_port:versions()]),
    ?assertEqual(ok, ssl_port:clear_pem_cache()),
    ?assertEqual("closed", ssl_port:format_error("closed")),
    ?assertEqual(ssl:groups(), ssl_port:groups()),
    ?assertEqual("TLS_AES_128_GCM_SHA256",
                 ssl_port:suite_to_str(ssl_port:str_to_suite("TLS_AES_128_GCM_SHA256"))).

no_node() ->
    application:set_env(ssl_port, node, "/no/such/node"),
    ?assertEqual({error, {ssl_port, {node_not_found, "/no/such/node"}}}, ssl_port:start()),
    ?assertMatch({error, {ssl_port, {{node_not_found, _}, _}}},
                 application:ensure_all_started(ssl_port)).

not_executable() ->
    File = script("not_executable", "#!/bin/sh\n"),
    ok = file:change_mode(File, 8#644),
    application:set_env(ssl_port, node, File),
    ?assertEqual({error, {ssl_port, {node_not_found, File}}}, ssl_port:start()).

no_program() ->
    application:set_env(ssl_port, main, "/no/such/main.js"),
    ?assertEqual({error, {ssl_port, {program_not_found, "/no/such/main.js"}}}, ssl_port:start()).

%% What an old Node.js does with a program that it cannot read.
old_node_fails() ->
    application:set_env(ssl_port, node,
                        script("old_node",
                               "#!/bin/sh\n"
                               "if [ \"$1\" = --version ]; then echo v16.1.0; exit 0; fi\n"
                               "exit 1\n")),
    ?assertEqual({error, {ssl_port, {node_too_old, "v16.1.0", ">= 20.19"}}}, ssl_port:start()).

old_node_says_hello() ->
    true = os:putenv("BEAM_NODE_VERSION", "v20.18.3"),
    try
        ?assertEqual({error, {ssl_port, {node_too_old, "v20.18.3", ">= 20.19"}}},
                     ssl_port:start())
    after
        os:unsetenv("BEAM_NODE_VERSION")
    end.

other_protocol() ->
    Hello = term_to_binary({hello, 2, #{node => <<"v22.0.0">>}}),
    Octal = lists:flatten([io_lib:format("\\~3.8.0b", [B])
                           || <<B>> <= <<(byte_size(Hello)):32, Hello/binary>>]),
    File = script("other_protocol", ["#!/bin/sh\nprintf '", Octal, "'\nsleep 5\n"]),
    application:set_env(ssl_port, node, File),
    ?assertEqual({error, {ssl_port, {protocol_version, File, 2, 1}}}, ssl_port:start()).

dies_at_once() ->
    File = script("dies", "#!/bin/sh\nif [ \"$1\" = --version ]; then echo v22.1.0; fi\nexit 7\n"),
    application:set_env(ssl_port, node, File),
    ?assertEqual({error, {ssl_port, {node_exited, File, 7}}}, ssl_port:start()).

owners_hear_of_the_stop() ->
    ok = ssl_port:start(),
    {ok, S} = ssl_port:connect("echo", 1, []),
    ok = ssl_port:stop(),
    receive {ssl_closed, S} -> ok after 1000 -> ?assert(false) end,
    ?assertEqual({error, closed}, ssl_port:send(S, "x")),
    ?assertEqual(ok, ssl_port:close(S)).

script(Name, Text) ->
    Dir = filename:join(os:getenv("TMPDIR", "/tmp"), "ssl_port_start_tests." ++ os:getpid()),
    File = filename:join(Dir, Name),
    ok = filelib:ensure_dir(File),
    ok = file:write_file(File, Text),
    ok = file:change_mode(File, 8#755),
    File.
