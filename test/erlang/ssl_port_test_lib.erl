%% What the Common Test suites share: certificates made on the spot, starting the real
%% port program, and pairs of connected sockets of any two implementations.
-module(ssl_port_test_lib).

-include_lib("public_key/include/public_key.hrl").

-export([start/1, stop/1, certificates/0, certificates/1]).
-export([openssl/1, accepts/1]).
-export([listen/2, fresh_listen/2, pair/1, pair/3, close/1]).
-export([logged/1, line/1, events/2, log/2]).
-export([next/1, next/2, quiet/1, alert/1, eventually/1, other_process/1, result/1, close_port/1]).

%% The application.

start(Env) ->
    %% Anew: its client remembers sessions by host and port, those of other suites too.
    _ = ssl:stop(),
    ok = ssl:start(),
    _ = application:stop(ssl_port),
    _ = application:load(ssl_port),
    Before = application:get_all_env(ssl_port),
    [application:set_env(ssl_port, Name, Value) || {Name, Value} <- program() ++ transport() ++ Env],
    ok = ssl_port:start(),
    Before.

stop(Before) ->
    _ = application:stop(ssl_port),
    [application:unset_env(ssl_port, Name) || {Name, _} <- application:get_all_env(ssl_port)],
    [application:set_env(ssl_port, Name, Value) || {Name, Value} <- Before],
    ok.

%% SSL_PORT_TRANSPORT=inet: any suite over sockets that the BEAM owns.
transport() ->
    [{transport, list_to_atom(Name)} || Name <- [os:getenv("SSL_PORT_TRANSPORT")], is_list(Name)].

program() ->
    case os:getenv("SSL_PORT_MAIN") of
        false ->
            case filelib:is_regular(filename:join(priv(), "dist/port/main.js")) of
                true -> [];
                false -> [{main, ssl_port_program:path("dist/port/main.js")}]
            end;
        Main ->
            [{main, Main}]
    end.

priv() ->
    case code:priv_dir(ssl_port) of
        {error, bad_name} -> "/none";
        Dir -> Dir
    end.

%% Certificates: the server's is for localhost, 127.0.0.1 and ::1.

certificates() ->
    certificates({namedCurve, secp256r1}).

certificates(Key) ->
    Names = [{dNSName, "localhost"}, {iPAddress, <<127, 0, 0, 1>>},
             {iPAddress, <<0:120, 1>>}],
    San = #'Extension'{extnID = ?'id-ce-subjectAltName', critical = false, extnValue = Names},
    Usage = #'Extension'{extnID = ?'id-ce-keyUsage', critical = true,
                         extnValue = [digitalSignature, keyEncipherment]},
    %% (pkix_test_data signs with SHA-1 unless told otherwise.)
    Common = [{key, Key}, {digest, sha256}],
    #{server_config := Server, client_config := Client} =
        public_key:pkix_test_data(
          #{server_chain => #{root => Common, intermediates => [],
                              peer => [{extensions, [San, Usage]} | Common]},
            client_chain => #{root => Common, intermediates => [], peer => Common}}),
    %% Each side trusts the other's root alone.
    #{server => Server, client => Client}.

%% OpenSSL as a peer.

openssl(Args) ->
    open_port({spawn_executable, os:find_executable("openssl")}, [{args, Args}, exit_status, binary, stderr_to_stdout]).

%% The port that an s_server of `-accept 127.0.0.1:0' has got.
accepts(Peer) ->
    accepts(Peer, <<>>).

accepts(Peer, Before) ->
    receive
        {Peer, {data, Data}} ->
            Text = <<Before/binary, Data/binary>>,
            case re:run(Text, "ACCEPT [^\n]*:([0-9]+)\n", [{capture, [1], list}]) of
                {match, [Port]} -> list_to_integer(Port);
                nomatch -> accepts(Peer, Text)
            end;
        {Peer, {exit_status, Status}} -> error({s_server, Status, Before})
    after 30000 -> error({s_server, Before})
    end.

%% Pairs. Cfg holds the modules `c' and `s', the versions and the certificates.

listen(#{s := Mod, server := Certs, versions := Versions}, Options) ->
    fresh_listen(Mod, [{versions, Versions}, {reuseaddr, true}, {ip, {127, 0, 0, 1}},
                       {log_level, none} | Options ++ Certs]).

%% On a port that no listener of the suite has had: `ssl' as a client takes a server for the one that it has met on
%% its port, offers it that one's session, and keeps none of the new one's.
fresh_listen(Mod, Options) ->
    {ok, L} = Mod:listen(0, Options),
    {ok, {_, Port}} = Mod:sockname(L),
    case persistent_term:get({?MODULE, port, Port}, new) of
        new ->
            persistent_term:put({?MODULE, port, Port}, used),
            {L, Port};
        used ->
            %% The other is asked for while this one is still taken.
            Fresh = fresh_listen(Mod, Options),
            ok = Mod:close(L),
            Fresh
    end.

pair(Cfg) ->
    pair(Cfg, [], []).

%% Two connected sockets, both owned by the caller: #{c := Client, s := Server, l := Listener}.
pair(#{c := C, s := S, client := Certs, versions := Versions} = Cfg, ClientOptions, ServerOptions) ->
    {L, Port} = listen(Cfg, [{active, false}, {mode, binary} | ServerOptions]),
    Me = self(),
    {Acceptor, Monitor} =
        spawn_monitor(fun() ->
                              {ok, T} = S:transport_accept(L, 10000),
                              {ok, Socket} = S:handshake(T, 10000),
                              ok = S:controlling_process(Socket, Me),
                              exit({ok, Socket})
                      end),
    {ok, Client} = C:connect("localhost", Port,
                             [{versions, Versions}, {active, false}, {mode, binary}, {log_level, none},
                              {verify, verify_peer} | ClientOptions ++ Certs], 10000),
    receive
        {'DOWN', Monitor, process, Acceptor, {ok, Server}} ->
            Cfg#{client_socket => Client, server_socket => Server, listener => L, port => Port}
    end.

close(#{c := C, s := S, client_socket := Client, server_socket := Server, listener := L}) ->
    ok = C:close(Client),
    ok = S:close(Server),
    ok = S:close(L).

%% Messages, told by the side they came to.

next(Pair) ->
    next(Pair, 5000).

next(#{client_socket := C, server_socket := S}, Timeout) ->
    receive
        {ssl, C, Data} -> {client, data, Data};
        {ssl, S, Data} -> {server, data, Data};
        {Tag, C} -> {client, Tag};
        {Tag, S} -> {server, Tag};
        {ssl_error, C, Reason} -> {client, ssl_error, alert(Reason)};
        {ssl_error, S, Reason} -> {server, ssl_error, alert(Reason)}
    after Timeout -> none
    end.

quiet(Pair) ->
    next(Pair, 100).

%% Alert texts name files and lines of their implementation: only the alert is compared.
alert({error, Reason}) -> {error, alert(Reason)};
alert({tls_alert, {Alert, Text}}) when is_list(Text) -> {tls_alert, Alert};
alert(Other) -> Other.

%% `error' or `exit' of a call, as a value.
result(Fun) ->
    try Fun() of
        Result -> alert(Result)
    catch
        Class:Reason -> {Class, Reason}
    end.

%% What goes to logger while Fun runs (notices and worse), as lines; a log_event() each by events/2, which waits for Count of them, and a little for
%% one more.
logged(Fun) ->
    [{Level, line(Event)} || #{level := Level} = Event <- events(Fun, 0)].

line(Event) ->
    lists:flatten(logger_formatter:format(Event, #{template => [msg], single_line => false})).

events(Fun, Count) ->
    #{level := Primary} = logger:get_primary_config(),
    Others = [{Id, Level} || #{id := Id, level := Level} <- logger:get_handler_config()],
    [ok = logger:set_handler_config(Id, level, none) || {Id, _} <- Others],
    Reference = make_ref(),
    ok = logger:add_handler(?MODULE, ?MODULE, #{config => {self(), Reference}}),
    ok = logger:set_primary_config(level, notice),
    try
        _ = Fun(),
        heard(Reference, Count)
    after
        ok = logger:set_primary_config(level, Primary),
        ok = logger:remove_handler(?MODULE),
        [ok = logger:set_handler_config(Id, level, Level) || {Id, Level} <- Others]
    end.

heard(Reference, Count) ->
    Patience = case Count > 0 of true -> 10000; false -> 200 end,
    receive {Reference, Event} -> [Event | heard(Reference, Count - 1)] after Patience -> [] end.

log(Event, #{config := {Pid, Reference}}) ->
    Pid ! {Reference, Event}.

other_process(Fun) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({result, Fun()}) end),
    receive {'DOWN', Monitor, process, Pid, {result, Result}} -> Result end.

%% It may have ended by itself.
close_port(Port) ->
    try port_close(Port)
    catch error:badarg -> true
    end.

eventually(Fun) -> ssl_port_program:eventually(Fun).
