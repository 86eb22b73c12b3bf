%% Own keys: passwords and the funs that give them. What is given to ssl_port is given to ssl
%% too where OTP 25 has it, and the answers are compared; ssl is at the other end.
-module(ssl_port_keys_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(CHAINS, ssl_port_test_chains).
-define(TIMEOUT, 30000).
-define(PASSWORD, "correct h\344st").

suite() ->
    [{timetrap, {minutes, 5}}].

all() ->
    [{group, passwords}].

groups() ->
    [{passwords, [], [passwords, password_funs, failing_password_funs, password_fun_is_asked_once,
                      password_funs_by_name, password_fun_waits_alone]}].

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
encrypt(traditional, Keyfile) -> openssl(["ec", "-aes128"], Keyfile);
encrypt(pbes2, Keyfile) -> openssl(["pkcs8", "-topk8", "-v2", "aes-256-cbc"], Keyfile).

openssl(Args, Keyfile) ->
    Out = Keyfile ++ ".new",
    Pass = Keyfile ++ ".pass",
    ok = file:write_file(Pass, ?PASSWORD ++ "\n"),
    Openssl = os:find_executable("openssl"),
    Port = open_port({spawn_executable, Openssl},
                     [{args, Args ++ ["-in", Keyfile, "-out", Out, "-passout", "file:" ++ Pass]},
                      exit_status, stderr_to_stdout, binary]),
    0 = status(Port),
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
                 ok -> Module:recv(S, 0, ?TIMEOUT);
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
