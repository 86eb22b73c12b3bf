%% Stapled OCSP responses (A-O32, N-O06): what a client makes of those that `openssl ocsp' has written and
%% `openssl s_server' staples. Where OTP's ssl knows the case it is run on both in one run.
-module(ssl_port_ocsp_SUITE).

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_test_lib, [alert/1]).

-define(TIMEOUT, 20000).

suite() ->
    [{timetrap, {seconds, 180}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    Dir = proplists:get_value(priv_dir, Config),
    {ok, Here} = file:get_cwd(),
    ok = file:set_cwd(Dir),
    make_pki(),
    ok = file:set_cwd(Here),
    [{before, Before}, {dir, Dir} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

%% Cases.

%% A response that the issuer has signed: good, revoked, unknown to it, and none at all. (OTP 25 refuses a
%% response without a nonce when it has sent one; RFC 9654 section 2.1 and OTP 27 take it.)
case_statuses(Config) ->
    Plain = [{ocsp_nonce, false}],
    [begin
         {ok, _} = visit(Module, Config, Version, good, Plain),
         {error, {tls_alert, certificate_revoked}} = alert(visit(Module, Config, Version, revoked, Plain)),
         {error, {tls_alert, bad_certificate}} = alert(visit(Module, Config, Version, none, Plain)),
         {error, {tls_alert, bad_certificate}} = alert(visit(Module, Config, Version, unknown, Plain))
     end || Version <- ['tlsv1.2', 'tlsv1.3'], Module <- [ssl, ssl_port]].

%% A responder that the issuer has named counts, any other of the issuer's certificates does not.
case_responders(Config) ->
    [begin
         {ok, _} = visit(ssl_port, Config, Version, delegated, []),
         {error, {tls_alert, bad_certificate}} = alert(visit(ssl_port, Config, Version, undelegated, [])),
         {error, {tls_alert, bad_certificate}} = alert(visit(ssl_port, Config, Version, strange, [])),
         {ok, _} = visit(ssl_port, Config, Version, strange, [{ocsp_responder_certs, [der(Config, "strange.pem")]}])
     end || Version <- ['tlsv1.2', 'tlsv1.3']].

%% The words say which certificate, when and why; the reasons are those of public_key.
case_words(Config) ->
    {error, {tls_alert, {certificate_revoked, Text}}} = visit(ssl_port, Config, 'tlsv1.3', revoked, []),
    true = says(Text, "revoked,keyCompromise"),
    true = says(Text, "certificate 0 (the peer's own) \"CN=revoked\""),
    true = says(Text, "keyCompromise since 20"),
    {error, {tls_alert, {bad_certificate, None}}} = visit(ssl_port, Config, 'tlsv1.3', none, []),
    true = says(None, "{revocation_status_undetermined,not_stapled}"),
    true = says(None, "no stapled OCSP response").

%% A user's verify_fun hears of it as of CRLs.
case_verify_fun(Config) ->
    Self = self(),
    Fun = fun(_, {bad_cert, {revocation_status_undetermined, _} = Why}, S) -> Self ! {heard, Why}, {valid, S};
             (_, {bad_cert, Why}, _) -> {fail, Why};
             (_, {extension, _}, S) -> {unknown, S};
             (_, _, S) -> {valid, S}
          end,
    [begin
         {ok, _} = visit(Module, Config, 'tlsv1.2', none, [{verify_fun, {Fun, []}}]),
         receive {heard, {revocation_status_undetermined, not_stapled}} -> ok
         after ?TIMEOUT -> ct:fail({nothing_heard, Module}) end
     end || Module <- [ssl, ssl_port]].

%% The option of OTP 27, and the map that turns the nonce off.
case_stapling_option(Config) ->
    Ask = fun(Kind, Option) -> alert(ask(ssl_port, Config, 'tlsv1.3', Kind, [{stapling, Option}])) end,
    {ok, _} = Ask(good, staple),
    {ok, _} = Ask(good, #{ocsp_nonce => false}),
    {ok, _} = Ask(none, no_staple),
    {error, {tls_alert, bad_certificate}} = Ask(none, staple),
    {error, {tls_alert, certificate_revoked}} = Ask(revoked, #{ocsp_nonce => true}),
    {error, {options, {stapling, foo}}} = Ask(good, foo),
    {error, {options, {stapling, #{x := 1}}}} = Ask(good, #{x => 1}).

%% A certificate that says that its server staples (RFC 7633) is refused without a response once one was asked for.
case_must_staple(Config) ->
    [begin
         {ok, _} = ask(ssl_port, Config, Version, must_without, []),
         {error, {tls_alert, bad_certificate}} =
             alert(ask(ssl_port, Config, Version, must_without, [{status_request, true}])),
         {ok, _} = ask(ssl_port, Config, Version, must, [{status_request, true}])
     end || Version <- ['tlsv1.2', 'tlsv1.3']].

%% A session that was made without judging is not resumed by a client that judges (R55).
case_no_resumption_around_it(Config) ->
    with_server(Config, 'tlsv1.2', none, fun(Port) ->
        Connect = fun(More) ->
                      ssl_port:connect("localhost", Port, options(Config, 'tlsv1.2', none, More), ?TIMEOUT)
                  end,
        {ok, S} = Connect([{reuse_sessions, save}]),
        {ok, [{session_resumption, false}]} = ssl_port:connection_information(S, [session_resumption]),
        ok = ssl_port:close(S),
        {ok, Again} = Connect([]),
        {ok, [{session_resumption, true}]} = ssl_port:connection_information(Again, [session_resumption]),
        ok = ssl_port:close(Again),
        {error, {tls_alert, bad_certificate}} = alert(Connect([{ocsp_stapling, true}]))
    end).

case_bad_responder_certificate(Config) ->
    {error, {options, {ocsp_responder_certs, Text}}} =
        visit(ssl_port, Config, 'tlsv1.3', good, [{ocsp_responder_certs, [<<1, 2, 3>>]}]),
    true = is_list(Text).

%% Meeting.

visit(Module, Config, Version, Kind, More) ->
    ask(Module, Config, Version, Kind, [{ocsp_stapling, true} | More]).

ask(Module, Config, Version, Kind, More) ->
    with_server(Config, Version, Kind, fun(Port) ->
        case Module:connect("localhost", Port, options(Config, Version, Kind, More), ?TIMEOUT) of
            {ok, S} -> ok = Module:close(S), {ok, S};
            Error -> Error
        end
    end).

options(Config, Version, _Kind, More) ->
    [{versions, [Version]}, {verify, verify_peer}, {cacertfile, path(Config, "ca.pem")}, {active, false} | More].

with_server(Config, Version, Kind, Fun) ->
    {Leaf, Staple} = server(Kind),
    Args = ["s_server", "-accept", "127.0.0.1:0", "-cert", path(Config, Leaf ++ ".pem"),
            "-key", path(Config, Leaf ++ ".key"), "-cert_chain", path(Config, "sub.pem"), flag(Version), "-rev"]
        ++ case Staple of
               none -> [];
               _ -> ["-status_file", path(Config, Staple ++ ".ocsp")]
           end,
    Server = open_port({spawn_executable, os:find_executable("openssl")},
                       [{args, Args}, {line, 1000}, stderr_to_stdout, exit_status]),
    {os_pid, Pid} = erlang:port_info(Server, os_pid),
    try
        Fun(accepting(Server))
    after
        _ = os:cmd("kill -9 " ++ integer_to_list(Pid)),
        ssl_port_test_lib:close_port(Server)
    end.

flag('tlsv1.2') -> "-tls1_2";
flag('tlsv1.3') -> "-tls1_3".

accepting(Server) ->
    receive
        {Server, {data, {eol, "ACCEPT 127.0.0.1:" ++ Port}}} -> list_to_integer(Port);
        {Server, {data, _}} -> accepting(Server);
        {Server, {exit_status, Status}} -> ct:fail({s_server, Status})
    after ?TIMEOUT -> ct:fail(s_server)
    end.

%% The certificate of a server, and what it staples.
server(good) -> {"good", "good"};
server(revoked) -> {"revoked", "revoked"};
server(unknown) -> {"unlisted", "unlisted"};
server(none) -> {"good", none};
server(delegated) -> {"good", "delegated"};
server(undelegated) -> {"good", "undelegated"};
server(strange) -> {"good", "strange"};
server(must) -> {"must", "must"};
server(must_without) -> {"must", none}.

says(Text, Part) -> string:find(Text, Part) =/= nomatch.

path(Config, Name) -> filename:join(proplists:get_value(dir, Config), Name).

der(Config, Name) ->
    {ok, Pem} = file:read_file(path(Config, Name)),
    [{'Certificate', Der, not_encrypted} | _] = public_key:pem_decode(Pem),
    Der.

%% Making the hierarchy and the responses, in the current directory.

make_pki() ->
    run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=root "
        "-addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem"),
    issue("sub", "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature"),
    Leaf = "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nsubjectAltName=DNS:localhost",
    [issue(Name, "sub", Leaf) || Name <- ["good", "revoked", "unlisted"]],
    issue("must", "sub", Leaf ++ "\ntlsfeature=status_request"),
    issue("responder", "sub", "extendedKeyUsage=OCSPSigning"),
    issue("plain", "sub", Leaf),
    run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=strange "
        "-keyout strange.key -out strange.pem"),
    ok = file:write_file("index.txt",
                         [["V\t391231235959Z\t\t", serial(Name), "\tunknown\t/CN=", Name, "\n"] || Name <- ["good", "must"]]
                         ++ ["R\t391231235959Z\t250101000000Z,keyCompromise\t", serial("revoked"),
                             "\tunknown\t/CN=revoked\n"]),
    [answer(Name, Name, "sub") || Name <- ["good", "revoked", "unlisted", "must"]],
    answer("delegated", "good", "responder"),
    answer("undelegated", "good", "plain"),
    answer("strange", "good", "strange").

issue(Name, Issuer, Extensions) ->
    ok = file:write_file(Name ++ ".ext", [Extensions, "\n"]),
    run("openssl req -newkey rsa:2048 -nodes -subj /CN=~s -keyout ~s.key -out ~s.csr",
        [Name, Name, Name]),
    run("openssl x509 -req -sha256 -in ~s.csr -CA ~s.pem -CAkey ~s.key -CAcreateserial -days 2 -extfile ~s.ext "
        "-out ~s.pem", [Name, Issuer, Issuer, Name, Name]).

serial(Name) ->
    [_, Serial] = string:split(string:trim(os:cmd("openssl x509 -noout -serial -in " ++ Name ++ ".pem")), "="),
    Serial.

%% What `Signer' says of a certificate, in File.ocsp.
answer(File, Name, Signer) ->
    run("openssl ocsp -issuer sub.pem -cert ~s.pem -no_nonce -reqout ~s.req", [Name, File]),
    run("openssl ocsp -index index.txt -rsigner ~s.pem -rkey ~s.key -CA sub.pem -reqin ~s.req -respout ~s.ocsp -ndays 1",
        [Signer, Signer, File, File]).

run(Command) -> run(Command, []).

run(Format, Arguments) ->
    Out = os:cmd(lists:flatten(io_lib:format("( " ++ Format ++ " ) 2>&1 && echo fine", Arguments))),
    lists:suffix("fine\n", Out) orelse ct:fail({Format, Arguments, Out}).
