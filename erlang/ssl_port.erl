%%% @doc The API of Erlang/OTP's `ssl', served by a TLS engine that runs in an own OS
%%% process.
%%%
%%% A program written against `ssl' runs against this module with no change but the module
%%% name. Functions, options, messages and errors are those of `ssl'; what differs is said
%%% with the function. The messages to the owner of an active socket are
%%% `{ssl, Socket, Data}', `{ssl_closed, Socket}', `{ssl_error, Socket, Reason}' and
%%% `{ssl_passive, Socket}'; sessions and early data bring `{ssl, session_ticket, Map}' and
%%% `{ssl, Socket, {early_data, accepted | rejected}}'.
%%%
%%% A socket stays equal to itself (`=:=') for its whole life and is otherwise opaque.
%%%
%%% When the OS process behind a connection dies, the connection ends as if the peer were
%%% lost: calls that wait return `{error, closed}', the owner of an active socket gets
%%% `{ssl_closed, Socket}'. A new process is up at once and serves new connections.
%%% @end
-module(ssl_port).

%% The application.
-export([start/0]).
-export([start/1]).
-export([stop/0]).
-export([versions/0]).
-export([clear_pem_cache/0]).
-export([reload/1]).
-export([reload/2]).

%% Setting up.
-export([connect/2]).
-export([connect/3]).
-export([connect/4]).
-export([listen/2]).
-export([transport_accept/1]).
-export([transport_accept/2]).
-export([handshake/1]).
-export([handshake/2]).
-export([handshake/3]).
-export([handshake_continue/2]).
-export([handshake_continue/3]).
-export([handshake_cancel/1]).
-export([handle_options/2]).
-export([handle_options/3]).
-export([ssl_accept/1]).
-export([ssl_accept/2]).
-export([ssl_accept/3]).

%% Data.
-export([send/2]).
-export([recv/2]).
-export([recv/3]).
-export([shutdown/2]).
-export([close/1]).
-export([close/2]).

%% Control.
-export([setopts/2]).
-export([getopts/2]).
-export([controlling_process/2]).
-export([update_keys/2]).
-export([renegotiate/1]).
-export([request_certificate/1]).

%% Suites, groups, signature algorithms.
-export([cipher_suites/0]).
-export([cipher_suites/1]).
-export([cipher_suites/2]).
-export([cipher_suites/3]).
-export([filter_cipher_suites/2]).
-export([prepend_cipher_suites/2]).
-export([append_cipher_suites/2]).
-export([suite_to_str/1]).
-export([suite_to_openssl_str/1]).
-export([str_to_suite/1]).
-export([eccs/0]).
-export([eccs/1]).
-export([groups/0]).
-export([groups/1]).
-export([signature_algs/2]).
-export([tls_version/1]).
-export([random_bytes/1]).

%% Information.
-export([peername/1]).
-export([sockname/1]).
-export([peercert/1]).
-export([peerchain/1]).
-export([connection_information/1]).
-export([connection_information/2]).
-export([connection_info/1]).
-export([session_info/1]).
-export([pid/1]).
-export([negotiated_protocol/1]).
-export([negotiated_next_protocol/1]).
-export([prf/5]).
-export([export_key_materials/4]).
-export([export_key_materials/5]).
-export([channel_binding/2]).
-export([getstat/1]).
-export([getstat/2]).
-export([format_error/1]).

%% Seeing inside.
-export([info/0]).
-export([info/1]).
-export([i/0]).
-export([trace/2]).
-export([explain/1]).
-export([explain/2]).

-export_type([sslsocket/0]).
-export_type([socket/0]).
-export_type([host/0]).
-export_type([option/0]).
-export_type([active_msgs/0]).
-export_type([reason/0]).
-export_type([bad_option/0]).
-export_type([hello_extensions/0]).

-include("ssl_port.hrl").

-type sslsocket() :: {sslsocket, term(), term()}.
%% A connection or a listener. Opaque.

-type socket() :: port() | term().
%% The socket of a transport, to be upgraded.

-type host() :: inet:hostname() | inet:ip_address() | binary() | inet:local_address().

-type option() :: {atom(), term()} | binary | list | inet | inet6
                | {raw, non_neg_integer(), non_neg_integer(), binary()}.

-type active_msgs() :: {ssl, sslsocket(), iodata() | term()}
                     | {ssl_closed, sslsocket()}
                     | {ssl_error, sslsocket(), reason()}
                     | {ssl_passive, sslsocket()}
                     | {ssl, sslsocket(), {early_data, accepted | rejected}}
                     | {ssl, session_ticket, map()}.

-type reason() :: term().
%% `closed', `timeout', a POSIX code, `{tls_alert, {Alert, Text}}', `{options, _}' and what
%% else `ssl' returns. {@link format_error/1} says it in words.

-type hello_extensions() :: #{atom() => term()}.
%% The extensions of a hello, by the names that `ssl' has for them; `undefined' for those that
%% are not there.

-type bad_option() :: {option_not_a_key_value_tuple, term()}.
%% Returned, as by `ssl' before OTP 26, without `error' around it.

-define(IS_TIMEOUT(T), (T =:= infinity orelse (is_integer(T) andalso T >= 0))).
%% A list to its end.
-define(IS_PROPER(L), (length(L) >= 0)).
-define(CLOSE_TIMEOUT, 5000).
-define(STATISTICS, [recv_oct, recv_cnt, recv_max, recv_avg, recv_dvi,
                     send_oct, send_cnt, send_max, send_avg, send_pend]).

%% The application.

%% @equiv start(temporary)
-spec start() -> ok | {error, reason()}.
start() ->
    start(temporary).

%% @doc Starts the application `ssl_port'. Starting it again is fine.
%%
%% The start fails when the port program cannot run, with a reason such as
%% `{ssl_port, {node_not_found, Path}}', `{ssl_port, {node_too_old, Version, ">= 20.19"}}'
%% or `{ssl_port, {program_not_found, Path}}'. A line in the log says the same in words.
-spec start(permanent | transient | temporary) -> ok | {error, reason()}.
start(Type) ->
    case application:ensure_all_started(ssl_port, start_type(Type)) of
        {ok, _Started} -> ok;
        {error, {ssl_port, {Reason, {ssl_port_app, start, _}}}} -> {error, {ssl_port, Reason}};
        {error, Reason} -> {error, Reason}
    end.

%% ssl takes anything, once it runs.
start_type(permanent) -> permanent;
start_type(transient) -> transient;
start_type(_) -> temporary.

%% @doc Stops the application; all its connections end.
-spec stop() -> ok | {error, reason()}.
stop() ->
    application:stop(ssl_port).

%% @doc The version of this application and the protocol versions: `supported' are those
%% used by default, `available' those that can be named in the option `versions',
%% `implemented' those that there is code for. There is no DTLS, hence nothing of it.
-spec versions() -> [{ssl_app, string()}
                     | {supported | supported_dtls | available | available_dtls
                        | implemented | implemented_dtls, [atom()]}].
versions() ->
    {Supported, Available} = ssl_port_ciphers:versions(),
    [{ssl_app, version()},
     {supported, Supported}, {supported_dtls, []},
     {available, Available}, {available_dtls, []},
     {implemented, Available}, {implemented_dtls, []}].

version() ->
    _ = application:load(ssl_port),
    case application:get_key(ssl_port, vsn) of
        {ok, Version} -> Version;
        undefined -> ""
    end.

%% @doc Forgets what was read of certificate, key and other PEM files; the next connection or
%% listener reads them anew.
-spec clear_pem_cache() -> ok.
clear_pem_cache() ->
    ssl_port_worker:call_all(clear_pem_cache).

%% @equiv reload(ListenSocket, [])
-spec reload(sslsocket()) -> ok | {error, reason()}.
reload(ListenSocket) ->
    reload(ListenSocket, []).

%% @doc Reads the certificates, keys and other files of a listener anew, those of `sni_hosts'
%% among them, whether they have changed or not. All handshakes that begin from here on have
%% the new ones, and none has a certificate of one time and a key of another. What cannot be
%% used changes nothing: the error says what is wrong, and the former stay in use until their
%% files change once more. `Options' are put over those of the listener, and stay only where
%% `ok' is returned; options of the socket have no effect. (Not in `ssl'.)
%%
%% A file that changes is read again by the next handshake without this call, which fails then
%% if the file is no good.
-spec reload(sslsocket(), [option()]) -> ok | {error, reason()} | bad_option().
reload(?LISTENER(_, Atomics, _, Connection, _) = ListenSocket, Options) when is_list(Options) ->
    case ssl_port_options:expand(Options) of
        {ok, Opts, Funs} ->
            ok = ssl_port_connection:add_funs(Connection, Funs),
            ok = atomics:add(Atomics, ?SLOT_FUNS, map_size(Funs)),
            ssl_port_questions:restore(ask(ListenSocket, {reload, Opts}), Funs);
        BadOption ->
            BadOption
    end;
reload(?CONNECTION(_, _, _, _, _), _Options) ->
    {error, enotsup}.

%% Setting up.

%% @equiv connect(Socket, Options, infinity)
-spec connect(socket(), [option()]) -> {ok, sslsocket()} | {error, reason()}.
connect(Socket, Options) ->
    connect(Socket, Options, infinity).

%% @doc `connect(Host, Port, Options)' is `connect(Host, Port, Options, infinity)'.
%%
%% `connect(Socket, Options, Timeout)' is the upgrade of a connected socket to TLS: of a
%% `gen_tcp' socket, or of one of the module that the option `cb_info' names. The caller owns
%% the socket. Its `mode', `packet', `active', `header' and `packet_size' hold on for the TLS
%% socket where `Options' does not say otherwise; other options of the transport have no
%% effect once it is connected. The caller may have got the first bytes as messages: those
%% that still wait in its mailbox are taken.
-spec connect(host() | socket(), inet:port_number() | [option()], [option()] | timeout()) ->
          {ok, sslsocket()} | {ok, sslsocket(), hello_extensions()} | {error, reason()} | bad_option().
connect(Socket, Options, Timeout) when ?IS_PROPER(Options), ?IS_TIMEOUT(Timeout) ->
    failed(ssl_port_inet:upgrade(client, Socket, Options, Timeout));
connect(Host, Port, Options) ->
    connect(Host, Port, Options, infinity).

%% @doc Connects to `Host' and does the handshake. The caller becomes the owner.
%%
%% With the option `{handshake, hello}' it returns `{ok, Socket, Extensions}' when the server's
%% hello has come; {@link handshake_continue/3} goes on, {@link handshake_cancel/1} does not.
-spec connect(host(), inet:port_number(), [option()], timeout()) ->
          {ok, sslsocket()} | {ok, sslsocket(), hello_extensions()} | {error, reason()} | bad_option().
connect(Host, Port, Options, Timeout) when ?IS_PROPER(Options), ?IS_TIMEOUT(Timeout) ->
    case ssl_port_transport:choose(Host, Options) of
        node -> failed(ssl_port_node:connect(Host, Port, Options, Timeout));
        inet -> failed(ssl_port_inet:connect(Host, Port, Options, Timeout));
        Error -> Error
    end.

%% @doc Listens on `Port' (0: any free one). The caller becomes the owner; when it dies the
%% listener is closed.
-spec listen(inet:port_number(), [option()]) ->
          {ok, sslsocket()} | {error, reason()} | bad_option().
listen(_Port, []) ->
    {error, nooptions};
listen(Port, Options) when ?IS_PROPER(Options) ->
    case ssl_port_transport:choose(any, Options) of
        node -> failed(ssl_port_node:listen(Port, Options));
        inet -> ssl_port_inet:listen(Port, Options);
        Error -> Error
    end.

%% @equiv transport_accept(ListenSocket, infinity)
-spec transport_accept(sslsocket()) -> {ok, sslsocket()} | {error, reason()}.
transport_accept(ListenSocket) ->
    transport_accept(ListenSocket, infinity).

%% @doc Takes one connection from a listener. No byte of TLS has gone over it yet: the next
%% step is {@link handshake/1}.
-spec transport_accept(sslsocket(), timeout()) -> {ok, sslsocket()} | {error, reason()}.
transport_accept(?BEAM_LISTENER(_, _) = ListenSocket, Timeout) when ?IS_TIMEOUT(Timeout) ->
    ssl_port_inet:accept(ListenSocket, Timeout);
transport_accept(?LISTENER(_, _, _, _, _) = ListenSocket, Timeout) when ?IS_TIMEOUT(Timeout) ->
    failed(ssl_port_node:accept(ListenSocket, Timeout)).

%% @equiv handshake(Socket, infinity)
-spec handshake(sslsocket()) ->
          {ok, sslsocket()} | {ok, sslsocket(), hello_extensions()} | {error, reason()} | bad_option().
handshake(?CONNECTION(_, _, _, _, _) = Socket) ->
    handshake(Socket, [], infinity).

%% @doc `handshake(Socket, Timeout)' is `handshake(Socket, [], Timeout)', and
%% `handshake(Socket, Options)' is `handshake(Socket, Options, infinity)'.
-spec handshake(sslsocket() | socket(), timeout() | [option()]) ->
          {ok, sslsocket()} | {ok, sslsocket(), hello_extensions()} | {error, reason()} | bad_option().
handshake(?CONNECTION(_, _, _, _, _) = Socket, Timeout) when ?IS_TIMEOUT(Timeout) ->
    handshake(Socket, [], Timeout);
handshake(Socket, Options) when ?IS_PROPER(Options) ->
    handshake(Socket, Options, infinity).

%% @doc Does the handshake on a socket from {@link transport_accept/1}. TLS options in
%% `Options' override those of the listener; `active', `mode', `packet', `packet_size' and
%% `header' stay as the listener has them, as with `ssl'. Returns the same socket.
%%
%% With the option `{handshake, hello}', here or at the listener, it returns
%% `{ok, Socket, Extensions}' when the client's hello has come: the extensions, by OTP's names.
%% {@link handshake_continue/3} goes on, {@link handshake_cancel/1} does not. The time limit
%% holds until one of them is called.
%%
%% Any other socket is one of the transport, connected and owned by the caller, and is upgraded
%% to TLS as by {@link connect/3}, in the role of the server.
-spec handshake(sslsocket() | socket(), [option()], timeout()) ->
          {ok, sslsocket()} | {ok, sslsocket(), hello_extensions()} | {error, reason()} | bad_option().
handshake(?CONNECTION(_, Atomics, _, _, _) = Socket, Options, Timeout)
  when ?IS_PROPER(Options), ?IS_TIMEOUT(Timeout) ->
    %% P26: TLS inside TLS, where this module is the transport of a connection that is up.
    case atomics:get(Atomics, ?SLOT_STATE) =:= ?STATE_OPEN andalso lists:keymember(cb_info, 1, Options) of
        true -> failed(ssl_port_inet:upgrade(server, Socket, Options, Timeout));
        false -> handshake(handshake, Socket, Options, Timeout)
    end;
handshake(Socket, Options, Timeout)
  when ?IS_PROPER(Options), ?IS_TIMEOUT(Timeout),
       not (is_tuple(Socket) andalso element(1, Socket) =:= sslsocket) ->
    failed(ssl_port_inet:upgrade(server, Socket, Options, Timeout)).

handshake(Name, ?CONNECTION(Id, Atomics, Port, Connection, Worker) = Socket, Options, Timeout) ->
    case ssl_port_options:expand(Options) of
        {ok, Opts, Funs} ->
            ok = ssl_port_connection:add_funs(Connection, Funs),
            ok = resume(Socket),
            Call = {Name, ssl_port_options:tls(Opts), Timeout},
            case ssl_port_worker:call(Worker, Port, Id, Call, {keyed, Timeout}) of
                {ok, _Active, _PacketHeader} ->
                    {ok, Socket};
                {ok, {hello, Extensions}} ->
                    {ok, Socket, Extensions};
                {error, _} = Error ->
                    handshake_failed(Atomics, Connection),
                    failed(ssl_port_questions:restore(Error, Funs))
            end;
        BadOption ->
            BadOption
    end.

%% @equiv handshake_continue(Socket, Options, infinity)
-spec handshake_continue(sslsocket(), [option()]) ->
          {ok, sslsocket()} | {error, reason()} | bad_option().
handshake_continue(Socket, Options) ->
    handshake_continue(Socket, Options, infinity).

%% @doc Goes on with a handshake that `{handshake, hello}' has paused, with `Options' over those
%% given before. `{error, einval}': it is not paused; `{error, closed}': it is over, be it by
%% the time limit of the call that came to the pause.
-spec handshake_continue(sslsocket(), [option()], timeout()) ->
          {ok, sslsocket()} | {error, reason()} | bad_option().
handshake_continue(?CONNECTION(_, _, _, _, _) = Socket, Options, Timeout)
  when ?IS_TIMEOUT(Timeout) ->
    handshake(handshake_continue, Socket, Options, Timeout).

%% @doc Ends a handshake that `{handshake, hello}' has paused: the peer is told `user_canceled'.
-spec handshake_cancel(sslsocket()) -> ok | {error, reason()}.
handshake_cancel(?CONNECTION(_, _, _, _, _) = Socket) ->
    {Id, Atomics, Port, Connection, Worker} = parts(Socket),
    case ssl_port_worker:call(Worker, Port, Id, handshake_cancel) of
        ok ->
            atomics:put(Atomics, ?SLOT_STATE, ?STATE_FAILED),
            ssl_port_connection:stop(Connection);
        Error ->
            Error
    end.

%% R43: with the process that runs a user's fun, the caller of the handshake ends.
failed({error, {'$exit', Reason}}) -> exit({Reason, {?MODULE, handshake}});
failed(Error) -> Error.

%% A handshake on a connection that is up already is an error of that call alone.
handshake_failed(Atomics, Connection) ->
    case atomics:compare_exchange(Atomics, ?SLOT_STATE, ?STATE_NEW, ?STATE_FAILED) of
        ok -> ssl_port_connection:stop(Connection);
        _ -> ok
    end.

%% @equiv handle_options(Options, Role, undefined)
-spec handle_options([option()], client | server) -> {ok, ssl_port_config:config()}.
handle_options(Options, Role) ->
    handle_options(Options, Role, undefined).

%% @doc Judges options without a connection, as `ssl' does it for its own modules: `{ok, Config}'
%% with the record of OTP 25, whose second element is a map of all options, or an exception
%% `throw' of `{error, Reason}'. `Host' is whom a client connects to.
%%
%% `handle_options(Options, Role, Map)' puts options over those of such a map and returns
%% another. Values in it are those of {@link connection_information/1}, `undefined' where nothing
%% is set; the parts of `ssl' take their own from it, and not these.
-spec handle_options([option()], client | server, host() | undefined) -> {ok, ssl_port_config:config()};
                    ([option()], client | server, ssl_port_config:options()) -> ssl_port_config:options().
handle_options(Options, Role, Inherited) when is_map(Inherited) ->
    ssl_port_config:merge(Options, Role, Inherited);
handle_options(Options, Role, Host) ->
    ssl_port_config:make(Options, Role, Host).

%% @equiv ssl_accept(Socket, infinity)
-spec ssl_accept(sslsocket()) ->
          ok | {ok, sslsocket(), hello_extensions()} | {error, reason()} | bad_option().
ssl_accept(Socket) ->
    ssl_accept(Socket, infinity).

%% @doc As {@link handshake/2}, with the return value that it had before OTP 21: `ok' for a
%% socket from {@link transport_accept/1}.
-spec ssl_accept(sslsocket() | socket(), timeout() | [option()]) ->
          ok | {ok, sslsocket()} | {ok, sslsocket(), hello_extensions()} | {error, reason()}
          | bad_option().
ssl_accept(Socket, TimeoutOrOptions) ->
    accepted(Socket, handshake(Socket, TimeoutOrOptions)).

%% @doc As {@link handshake/3}, with the return value that it had before OTP 21.
-spec ssl_accept(sslsocket() | socket(), [option()], timeout()) ->
          ok | {ok, sslsocket()} | {ok, sslsocket(), hello_extensions()} | {error, reason()}
          | bad_option().
ssl_accept(Socket, Options, Timeout) ->
    accepted(Socket, handshake(Socket, Options, Timeout)).

accepted(Socket, {ok, Socket}) -> ok;
accepted(_Socket, Result) -> Result.

%% Data.

%% @doc Sends `Data'. Returns when it is on its way to the peer or, once a megabyte has not
%% left yet, when half of that has; the option `send_timeout' bounds this wait. A connection
%% that is lost meanwhile is reported by the next call, as with TCP.
-spec send(sslsocket(), iodata()) -> ok | {error, reason()}.
send(?CONNECTION(_, _, _, _, _) = Socket, Data) ->
    ssl_port_sender:send(Socket, Data);
send(?LISTENER(_, _, _, _, _) = Listener, _Data) ->
    enotconn(Listener).

%% @equiv recv(Socket, Length, infinity)
-spec recv(sslsocket(), non_neg_integer()) -> {ok, binary() | list() | term()} | {error, reason()}.
recv(Socket, Length) ->
    recv(Socket, Length, infinity).

%% @doc Receives from a passive socket. `Length' counts in the `raw' packet type only: 0 takes
%% what is there. A timeout loses no data.
-spec recv(sslsocket(), non_neg_integer(), timeout()) ->
          {ok, binary() | list() | term()} | {error, reason()}.
recv(?CONNECTION(Id, Atomics, Port, _, Worker), Length, Timeout)
  when is_integer(Length), Length >= 0, ?IS_TIMEOUT(Timeout) ->
    case atomics:get(Atomics, ?SLOT_STATE) of
        ?STATE_NEW ->
            {error, notsup_on_transport_accept_socket};
        _ ->
            case ssl_port_worker:call(Worker, Port, Id, {recv, Length, Timeout}, Timeout) of
                {ok_list, Data} -> {ok, binary_to_list(Data)};
                Result -> Result
            end
    end;
recv(?LISTENER(_, _, _, _, _) = Listener, _Length, Timeout) when ?IS_TIMEOUT(Timeout) ->
    enotconn(Listener).

%% @doc Closes one direction, or both.
-spec shutdown(sslsocket(), read | write | read_write) -> ok | {error, reason()}.
shutdown(?CONNECTION(_, _, _, _, _) = Socket, How)
  when How =:= read; How =:= write; How =:= read_write ->
    ask(Socket, {shutdown, How});
shutdown(?LISTENER(_, _, _, _, _) = Listener, How)
  when How =:= read; How =:= write; How =:= read_write ->
    enotconn(Listener).

%% @doc Closes a connection or a listener. Always `ok', and within five seconds.
-spec close(sslsocket()) -> ok.
close(Socket) ->
    _ = close(Socket, ?CLOSE_TIMEOUT),
    ok.

%% @doc Closes within `Timeout' milliseconds.
%%
%% `close(Socket, {Pid, Timeout})' ends TLS alone: it sends close_notify, waits for the peer's,
%% and makes `Pid' the owner of the socket below, which is passive, binary and raw then.
%% `{ok, Below, Bytes}' when the peer has begun to speak on it. Where the port program owns
%% the socket below, there is none to give back: `{error, notsup}', and the connection goes on;
%% sockets that were upgraded, and all under the application environment `{transport, inet}',
%% are the BEAM's.
-spec close(sslsocket(), timeout() | {pid(), timeout()}) ->
          ok | {ok, socket()} | {ok, socket(), binary()} | {error, reason()}.
close(?CONNECTION(_, _, _, _, _) = Socket, Timeout) when ?IS_TIMEOUT(Timeout) ->
    end_of(Socket, Timeout);
close(?LISTENER(_, _, _, _, _) = Socket, Timeout) when ?IS_TIMEOUT(Timeout) ->
    end_of(Socket, Timeout);
close(?NODE_CONNECTION, {Pid, Timeout}) when is_pid(Pid), ?IS_TIMEOUT(Timeout) ->
    {error, notsup};
close(?BEAM_CONNECTION(_, _) = Socket, {Pid, Timeout}) when is_pid(Pid), ?IS_TIMEOUT(Timeout) ->
    ssl_port_inet:downgrade(Socket, Pid, Timeout).

end_of(Socket, Timeout) ->
    {Id, Atomics, Port, Connection, Worker} = parts(Socket),
    _ = ssl_port_worker:call(Worker, Port, Id, close, Timeout),
    ok = close_below(Socket),
    atomics:put(Atomics, ?SLOT_ACTIVE, ?ACTIVE_FALSE),
    atomics:put(Atomics, ?SLOT_STATE, ?STATE_FAILED),
    ssl_port_connection:stop(Connection).

%% The port of a listener is free when close returns.
close_below(?BEAM_LISTENER(Module, Below)) -> ssl_port_transport:close(Module, Below);
close_below(_Socket) -> ok.

%% Control.

%% @doc Sets options of a connection, or those that a listener's connections will have.
-spec setopts(sslsocket(), [option()]) -> ok | {error, reason()}.
%% (No length: an improper list.)
setopts(Socket, Options) when length(Options) >= 0 ->
    case {is_new(Socket), is_below(Socket)} of
        {true, _} -> {error, notsup_on_transport_accept_socket};
        {false, true} -> ssl_port_inet:setopts(Socket, Options);
        {false, false} -> ssl_port_node:setopts(Socket, Options)
    end;
setopts(Socket, Options) ->
    _ = parts(Socket),
    {error, {options, {not_a_proplist, Options}}}.

%% @doc Values of the options named.
-spec getopts(sslsocket(), [atom()]) -> {ok, [{atom(), term()}]} | {error, reason()}.
%% (No length: an improper list.)
getopts(Socket, Names) when length(Names) >= 0 ->
    case is_below(Socket) andalso not is_new(Socket) of
        true -> ssl_port_inet:getopts(Socket, Names);
        false -> ssl_port_node:getopts(Socket, Names, fun(Ours) -> established(Socket, {getopts, Ours}) end)
    end;
getopts(Socket, [_ | Rest]) ->
    _ = parts(Socket),
    {error, {options, {socket_options, tail(Rest), function_clause}}};
getopts(Socket, Names) ->
    _ = parts(Socket),
    {error, {options, {socket_options, Names}}}.

tail([_ | Rest]) -> tail(Rest);
tail(Tail) -> Tail.

%% @doc Makes `Pid' the owner: it gets the messages from now on, and its end closes the
%% socket. After the return nothing more goes to the former owner. Any process may call it.
-spec controlling_process(sslsocket(), pid()) -> ok | {error, reason()}.
controlling_process(?BEAM_LISTENER(Module, Below) = Socket, Pid) when is_pid(Pid) ->
    {_, _, _, Connection, _} = parts(Socket),
    case ssl_port_transport:controlling_process(Module, Below, Pid) of
        ok -> ssl_port_connection:controlling_process(Connection, Pid);
        Error -> Error
    end;
controlling_process(Socket, Pid) when is_pid(Pid) ->
    {_, _, _, Connection, _} = parts(Socket),
    ssl_port_connection:controlling_process(Connection, Pid).

%% @doc Updates the traffic keys of a TLS 1.3 connection: the own ones, or those of both sides.
-spec update_keys(sslsocket(), write | read_write) -> ok | {error, reason()}.
update_keys(?CONNECTION(_, _, _, _, _) = Socket, Type) when Type =:= write; Type =:= read_write ->
    established(Socket, {update_keys, Type});
update_keys(_Socket, Type) ->
    {error, {illegal_parameter, Type}}.

%% @doc Makes a new handshake on a connection of TLS 1.2 or older, and waits for it; data
%% goes on meanwhile. Where one of both sides refuses it, the connection lives on as it was.
%% A client can do it once in twelve seconds. TLS 1.3 has no renegotiation: `{error, notsup}'.
-spec renegotiate(sslsocket()) -> ok | {error, renegotiation_rejected | reason()}.
renegotiate(?CONNECTION(_, _, _, _, _) = Socket) ->
    established(Socket, renegotiate);
renegotiate(?LISTENER(_, _, _, _, _)) ->
    {error, enotconn}.

%% @doc Asks a client of TLS 1.3 for its certificate, on a connection that is up, and waits
%% for the answer: after `ok', {@link peercert/1} tells it. The server's options say
%% `{verify, verify_peer}' and `{post_handshake_auth, true}', the client's
%% `{post_handshake_auth, true}'. `{error, no_peercert}': the client has none to show;
%% `{error, notsup}': it does not take part. Not in `ssl'.
-spec request_certificate(sslsocket()) -> ok | {error, reason()}.
request_certificate(?CONNECTION(_, _, _, _, _) = Socket) ->
    established(Socket, request_certificate);
request_certificate(?LISTENER(_, _, _, _, _)) ->
    {error, enotconn}.

%% Information.

%% @doc Address and port of the peer.
-spec peername(sslsocket()) ->
          {ok, {inet:ip_address(), inet:port_number()}} | {error, reason()}.
peername(?NODE_CONNECTION = Socket) ->
    einval(ask(Socket, peername));
peername(?BEAM_CONNECTION(Module, Below) = Socket) ->
    of_below(Socket, fun() -> ssl_port_transport:peername(Module, Below) end);
peername(?LISTENER(_, _, _, _, _) = Listener) ->
    einval(enotconn(Listener)).

%% @doc Address and port of this end.
-spec sockname(sslsocket()) ->
          {ok, {inet:ip_address(), inet:port_number()}} | {error, reason()}.
sockname(?NODE_CONNECTION = Socket) ->
    einval(ask(Socket, sockname));
sockname(?BEAM_CONNECTION(Module, Below) = Socket) ->
    of_below(Socket, fun() -> ssl_port_transport:sockname(Module, Below) end);
sockname(?BEAM_LISTENER(Module, Below) = Socket) ->
    of_below(Socket, fun() -> ssl_port_transport:sockname(Module, Below) end);
sockname(Socket) ->
    einval(ask(Socket, sockname)).

%% @doc The peer's certificate, DER-encoded.
-spec peercert(sslsocket()) -> {ok, binary()} | {error, reason()}.
peercert(?CONNECTION(_, _, _, _, _) = Socket) ->
    established(Socket, peercert);
peercert(?LISTENER(_, _, _, _, _)) ->
    {error, enotconn}.

%% @doc All certificates that the peer sent, DER-encoded, its own first. (Not in `ssl'.)
-spec peerchain(sslsocket()) -> {ok, [binary()]} | {error, reason()}.
peerchain(?CONNECTION(_, _, _, _, _) = Socket) ->
    established(Socket, peerchain);
peerchain(?LISTENER(_, _, _, _, _)) ->
    {error, enotconn}.

%% @doc Everything known about the connection, and all its options with the defaults of those
%% that were not given. Keys, passwords and other secrets are not told.
-spec connection_information(sslsocket()) -> {ok, [{atom(), term()}]} | {error, reason()}.
connection_information(?CONNECTION(_, _, _, _, _) = Socket) ->
    with_funs(Socket, established(Socket, {connection_information, all}));
connection_information(?LISTENER(_, _, _, _, _)) ->
    {error, enotconn}.

%% @doc The items named; names without a value are left out. `client_random',
%% `server_random', `master_secret' and `keylog' are given by name only.
-spec connection_information(sslsocket(), [atom()]) ->
          {ok, [{atom(), term()}]} | {error, reason()}.
connection_information(?CONNECTION(_, _, _, _, _) = Socket, Items) when ?IS_PROPER(Items) ->
    with_funs(Socket, established(Socket, {connection_information, Items})).

with_funs(?CONNECTION(_, _, _, Connection, _), {ok, Items}) ->
    case ssl_port_questions:has_names(Items) of
        true -> {ok, ssl_port_questions:restore(Items, ssl_port_connection:funs(Connection))};
        false -> {ok, Items}
    end;
with_funs(_Socket, Error) ->
    Error.

%% @doc Version and suite of the connection, as before OTP 18.
-spec connection_info(sslsocket()) ->
          {ok, {atom(), ssl_port_ciphers:old_suite()}} | {error, reason()}.
connection_info(?LISTENER(_, _, _, _, _)) ->
    {error, enotconn};
connection_info(Socket) ->
    case connection_information(Socket, [protocol, selected_cipher_suite]) of
        {ok, Items} ->
            Suite = proplists:get_value(selected_cipher_suite, Items),
            {ok, {proplists:get_value(protocol, Items), ssl_port_ciphers:old_suite(Suite)}};
        Error ->
            Error
    end.

%% @doc The id of the session and its suite, as R16 has it.
-spec session_info(sslsocket()) ->
          {ok, [{session_id, binary()} | {cipher_suite, ssl_port_ciphers:old_suite()}]}
          | {error, reason()}.
session_info(?LISTENER(_, _, _, _, _)) ->
    {error, enotconn};
session_info(Socket) ->
    case connection_information(Socket, [session_id, selected_cipher_suite]) of
        {ok, Items} ->
            Suite = proplists:get_value(selected_cipher_suite, Items),
            {ok, [{session_id, proplists:get_value(session_id, Items)},
                  {cipher_suite, ssl_port_ciphers:old_suite(Suite)}]};
        Error ->
            Error
    end.

%% @doc The process of a connection or a listener, as R14 tells it.
-spec pid(sslsocket()) -> pid().
pid(Socket) ->
    {_, _, _, Connection, _} = parts(Socket),
    Connection.

%% @doc The protocol that ALPN or NPN chose.
-spec negotiated_protocol(sslsocket()) -> {ok, binary()} | {error, reason()}.
negotiated_protocol(?CONNECTION(_, _, _, _, _) = Socket) ->
    established(Socket, negotiated_protocol).

%% @doc As {@link negotiated_protocol/1}, with the error that it had before OTP 18.
-spec negotiated_next_protocol(sslsocket()) -> {ok, binary()} | {error, reason()}.
negotiated_next_protocol(Socket) ->
    case negotiated_protocol(Socket) of
        {error, protocol_not_negotiated} -> {error, next_protocol_not_negotiated};
        Result -> Result
    end.

%% @doc The pseudo-random function of TLS 1.2 and older, over a secret of the caller's or the
%% master secret of the connection. `{error, undefined}' in SSL 3.0, which has none. In TLS 1.3, as since
%% OTP 27, `master_secret' with the seed `[client_random, server_random]', and a context behind them where
%% there is one, is {@link export_key_materials/4}; everything else is `{error, notsup}'.
-spec prf(sslsocket(), binary() | master_secret, binary(),
          [binary() | client_random | server_random], non_neg_integer()) ->
          {ok, binary()} | {error, reason()}.
prf(?CONNECTION(_, _, _, _, _) = Socket, Secret, Label, Seed, WantedLength) ->
    case established(Socket, {prf, Secret, Label, Seed, WantedLength}) of
        {error, notsup} when Secret =:= master_secret -> exported(Socket, Label, Seed, WantedLength);
        Result -> Result
    end;
prf(?LISTENER(_, _, _, _, _), _Secret, _Label, _Seed, _WantedLength) ->
    {error, enotconn}.

exported(Socket, Label, [client_random, server_random | Rest], WantedLength) ->
    Context = case Rest of
                  [] -> no_context;
                  [Binary] when is_binary(Binary) -> Binary;
                  _ -> bad
              end,
    case export_key_materials(Socket, [Label], [Context], [WantedLength]) of
        {ok, [Bytes]} -> {ok, Bytes};
        {error, _} = Error -> Error
    end;
exported(_Socket, _Label, _Seed, _WantedLength) ->
    {error, notsup}.

%% @equiv export_key_materials(Socket, Labels, Contexts, WantedLengths, true)
-spec export_key_materials(sslsocket(), [binary()], [binary() | no_context],
                           [non_neg_integer()]) ->
          {ok, [binary()]} | {error, reason()}.
export_key_materials(Socket, Labels, Contexts, WantedLengths) ->
    export_key_materials(Socket, Labels, Contexts, WantedLengths, true).

%% @doc Keying material for other protocols (RFC 5705, RFC 8446 section 7.5): one binary for
%% each label. With `ConsumeSecret', a connection of TLS 1.3 can do so only once; the next
%% call returns `{error, exporter_master_secret_already_consumed}'. `{error, bad_input}':
%% lists of different lengths, or elements that are none.
-spec export_key_materials(sslsocket(), [binary()], [binary() | no_context],
                           [non_neg_integer()], boolean()) ->
          {ok, [binary()]} | {error, reason()}.
export_key_materials(?CONNECTION(_, _, _, _, _) = Socket, Labels, Contexts, WantedLengths,
                     ConsumeSecret) when is_boolean(ConsumeSecret) ->
    established(Socket, {export_key_materials, Labels, Contexts, WantedLengths, ConsumeSecret}).

%% @doc What binds a protocol above, such as SCRAM, to this connection: `tls_unique' and
%% `tls_server_end_point' (RFC 5929), `tls_exporter' (RFC 9266). `{error, notsup}' where the
%% version does not have it (`tls_unique' in TLS 1.3) or the server showed no certificate.
%% Not in `ssl'.
-spec channel_binding(sslsocket(), tls_unique | tls_server_end_point | tls_exporter) ->
          {ok, binary()} | {error, reason()}.
channel_binding(?CONNECTION(_, _, _, _, _) = Socket, Type) ->
    established(Socket, {channel_binding, Type}).

%% @doc All statistics of the socket, as `inet:getstat/1'.
-spec getstat(sslsocket()) -> {ok, [{inet:stat_option(), integer()}]} | {error, reason()}.
getstat(Socket) ->
    getstat(Socket, ?STATISTICS).

%% @doc The statistics named, as `inet:getstat/2'.
-spec getstat(sslsocket(), [inet:stat_option()]) ->
          {ok, [{inet:stat_option(), integer()}]} | {error, reason()}.
getstat(?NODE_CONNECTION = Socket, Names) when is_list(Names) ->
    einval(ask(Socket, {getstat, Names}));
getstat(?BEAM_CONNECTION(Module, Below) = Socket, Names) when is_list(Names) ->
    of_below(Socket, fun() -> ssl_port_transport:getstat(Module, Below, Names) end);
getstat(?BEAM_LISTENER(Module, Below) = Socket, Names) when is_list(Names) ->
    of_below(Socket, fun() -> ssl_port_transport:getstat(Module, Below, Names) end);
getstat(Socket, Names) when is_list(Names) ->
    einval(ask(Socket, {getstat, Names})).

%% @doc An error reason in words.
-spec format_error(reason() | {error, reason()}) -> string().
format_error(Reason) ->
    ssl_port_format:format(Reason).

%% Seeing inside.

%% @doc Everything there is to see: `version', `profile', the `counters' of all workers
%% together ({@link ssl_port_metrics:counters/0}), the `workers' one by one, and the `sockets' as
%% {@link info/1} tells them, the oldest first. Not in `ssl'.
-spec info() -> #{atom() => term()}.
info() ->
    ssl_port_inside:info().

%% @doc What is known of a socket, whoever owns it: `socket', `owner', `age' (milliseconds),
%% `worker', `kind' (`connection' or `listener'), `state' (`handshake', `open', `closed', or
%% `listening'), `local', and of a connection `peer', `version', `suite', `resumed', `active',
%% `bytes_received' and `bytes_sent' (as {@link getstat/2} counts them), `unacknowledged' (bytes of
%% the sending window in use; the program acknowledges them in batches). What is not known, or not yet, is `undefined'. `{error, closed}': it is
%% gone. Not in `ssl'.
-spec info(sslsocket()) -> {ok, #{atom() => term()}} | {error, closed}.
info(Socket) ->
    ssl_port_inside:info(Socket).

%% @doc Prints a table of all connections and listeners of this node. Not in `ssl'.
-spec i() -> ok.
i() ->
    io:put_chars(ssl_port_inside:table()).

%% @doc Follows handshakes: each message decoded, each choice with what was passed over and why,
%% changes of keys, alerts, and how long everything took. Nothing secret is in it.
%%
%% `Target' is a connection (also one from {@link transport_accept/1} that is still to do its
%% handshake), a listener, or `all'; of a listener and of `all' the next `count' connections are
%% followed. A connection is followed until it is closed: tickets, changes of keys and
%% renegotiations are in its trace too. `Options' are:
%%
%% <dl>
%% <dt>`to'</dt><dd>`group_leader' (the default): the terminal; a process, which gets
%% `{ssl_port_trace, Tracer, Step}' and at the end `{ssl_port_trace, Tracer, {done, Why}}';
%% or a fun of one argument, which runs in the tracer</dd>
%% <dt>`format'</dt><dd>`text', or `terms' (the default for processes and funs), which
%% {@link ssl_port_trace} describes</dd>
%% <dt>`count'</dt><dd>of connections, 1 by default</dd>
%% <dt>`role'</dt><dd>for `all': `client', `server' or `any', the default</dd>
%% <dt>`time'</dt><dd>milliseconds after which the trace ends; `infinity' by default</dd>
%% </dl>
%%
%% The trace ends by itself with its last connection, with the process that hears it (for a fun:
%% the caller of this function), by `trace(Tracer, off)', and for everybody who follows `Target' by
%% `trace(Target, off)'. Steps that a slow receiver leaves waiting are bounded: those beyond are
%% counted, and told as `#{dropped => N}'. Not in `ssl'.
-spec trace(ssl_port_trace:target(), ssl_port_trace:options()) ->
          {ok, ssl_port_trace:tracer()} | {error, reason()};
           (ssl_port_trace:target(), off) -> ok.
trace(Target, Options) ->
    ssl_port_trace:trace(Target, Options).

%% @equiv explain(Target, all)
-spec explain(sslsocket() | {error, reason()}) ->
          {ok, ssl_port_trace:explanation()} | {error, reason()}.
explain(Target) ->
    ssl_port_trace:explain(Target).

%% @doc What was chosen in the latest handshake of a connection and why, and why other things
%% were not. `Target' is a connection, or `{error, Reason}' as {@link connect/3} and
%% {@link handshake/2} return it: then the newest handshake that failed so is explained; each
%% worker remembers its latest 32. `{error, unknown}': there is none.
%%
%% With `all' it returns a map of all choices. `{Subject, Candidate}' asks why that one was not
%% chosen: `{version, V}', `{suite, S}' (a name of the RFC's or OpenSSL's, or as {@link
%% cipher_suites/2} lists it), `{group, G}', `{signature_scheme, S}' of the own handshake
%% signature, `{certificate, N}' (the N-th of the own ones, or its DER). A client knows why it did
%% not offer something, not why a server passed over what it offered. {@link
%% ssl_port_trace:format/1} makes text of either. Not in `ssl'.
-spec explain(sslsocket() | {error, reason()},
              all | {version | suite | group | signature_scheme | certificate, term()}) ->
          {ok, ssl_port_trace:explanation() | ssl_port_trace:verdict()} | {error, reason()}.
explain(Target, What) ->
    ssl_port_trace:explain(Target, What).

%% Suites, groups, signature algorithms.

%% @equiv cipher_suites(erlang)
-spec cipher_suites() -> [ssl_port_ciphers:old_suite() | string()].
cipher_suites() ->
    cipher_suites(erlang).

%% @doc As before OTP 24, the suites before TLS 1.3: those on by default as tuples, or by
%% OpenSSL's names, or all that can be named as tuples. A tuple is
%% `{KeyExchange, Cipher, Mac}', and `{KeyExchange, Cipher, Mac, Prf}' where the suite names
%% a PRF. The option `ciphers' takes both.
-spec cipher_suites(erlang | openssl | all) -> [ssl_port_ciphers:old_suite() | string()].
cipher_suites(Kind) ->
    ssl_port_ciphers:cipher_suites(Kind).

%% @doc The suites of a version, the preferred one first: those on by default, all that are
%% not anonymous, those that no older version has, the anonymous ones (which includes shared
%% secrets), or the anonymous ones that no older version has. `default' and `all' for
%% `tlsv1.3' go on with those of TLS 1.2.
-spec cipher_suites(ssl_port_ciphers:description(), ssl_port_ciphers:version()) ->
          [ssl_port_ciphers:suite()].
cipher_suites(Description, Version) ->
    ssl_port_ciphers:cipher_suites(Description, Version).

%% @doc The same by name: those of the RFCs, or those of OpenSSL.
-spec cipher_suites(ssl_port_ciphers:description(), ssl_port_ciphers:version(), rfc | openssl) ->
          [string()].
cipher_suites(Description, Version, StringType) ->
    ssl_port_ciphers:cipher_suites(Description, Version, StringType).

%% @doc The suites of which every filter holds. What an engine cannot do is in none of the
%% lists, so that an empty list of filters leaves a list as it is.
-spec filter_cipher_suites([ssl_port_ciphers:suite()], ssl_port_ciphers:filters()) ->
          [ssl_port_ciphers:suite()].
filter_cipher_suites(Suites, Filters) ->
    ssl_port_ciphers:filter(Suites, Filters).

%% @doc Puts suites, or those that filters choose, at the head of a list.
-spec prepend_cipher_suites([ssl_port_ciphers:suite()] | ssl_port_ciphers:filters(),
                            [ssl_port_ciphers:suite()]) -> [ssl_port_ciphers:suite()].
prepend_cipher_suites(Preferred, Suites) ->
    ssl_port_ciphers:prepend(Preferred, Suites).

%% @doc Puts suites, or those that filters choose, at the end of a list.
-spec append_cipher_suites([ssl_port_ciphers:suite()] | ssl_port_ciphers:filters(),
                           [ssl_port_ciphers:suite()]) -> [ssl_port_ciphers:suite()].
append_cipher_suites(Deferred, Suites) ->
    ssl_port_ciphers:append(Deferred, Suites).

%% @doc The RFC's name of a suite.
-spec suite_to_str(ssl_port_ciphers:suite()) -> string().
suite_to_str(Suite) ->
    ssl_port_ciphers:suite_to_str(Suite).

%% @doc OpenSSL's name of a suite.
-spec suite_to_openssl_str(ssl_port_ciphers:suite()) -> string().
suite_to_openssl_str(Suite) ->
    ssl_port_ciphers:suite_to_openssl_str(Suite).

%% @doc The suite of a name, be it the RFC's or OpenSSL's.
-spec str_to_suite(string()) ->
          ssl_port_ciphers:suite() | {error, {not_recognized, string()}}.
str_to_suite(Name) ->
    ssl_port_ciphers:str_to_suite(Name).

%% @doc All curves that the option `eccs' takes.
-spec eccs() -> [atom()].
eccs() ->
    ssl_port_ciphers:eccs().

%% @doc The curves of a version before TLS 1.3.
-spec eccs(ssl_port_ciphers:version()) -> [atom()].
eccs(Version) ->
    ssl_port_ciphers:eccs(Version).

%% @doc The groups of TLS 1.3.
-spec groups() -> [atom()].
groups() ->
    ssl_port_ciphers:groups().

%% @doc The groups of TLS 1.3 that are on by default.
-spec groups(default) -> [atom()].
groups(default) ->
    ssl_port_ciphers:groups(default).

%% @doc The signature algorithms of a version, as OTP 26 and later list them.
-spec signature_algs(default | all | exclusive, ssl_port_ciphers:version()) ->
          [atom() | {Hash :: atom(), Signature :: atom()}].
signature_algs(Description, Version) ->
    ssl_port_ciphers:signature_algs(Description, Version).

%% @doc The TLS version that a version on the wire is equivalent to: itself, or for DTLS the
%% one it was made from.
-spec tls_version({byte(), byte()}) -> {3, byte()}.
tls_version({3, _} = Version) -> Version;
tls_version({254, 255}) -> {3, 2};
tls_version({254, 253}) -> {3, 3}.

%% @doc Random bytes for cryptographic use, as R16 has them.
-spec random_bytes(non_neg_integer()) -> binary().
random_bytes(N) ->
    crypto:strong_rand_bytes(N).

%% What every call shares.

parts(?CONNECTION(Id, Atomics, Port, Connection, Worker)) ->
    {Id, Atomics, Port, Connection, Worker};
parts(?LISTENER(Id, Atomics, Port, Connection, Worker)) ->
    {Id, Atomics, Port, Connection, Worker}.

%% Whether the BEAM owns the socket below.
is_below(?NODE_CONNECTION) -> false;
is_below(?CONNECTION(_, _, _, _, _)) -> true;
is_below(?BEAM_LISTENER(_, _)) -> true;
is_below(?LISTENER(_, _, _, _, _)) -> false.

resume(?NODE_CONNECTION) -> ok;
resume(?CONNECTION(_, _, _, Connection, _)) -> ssl_port_connection:resume(Connection).

%% A connection that has failed may still be saying goodbye on the socket below.
of_below(Socket, Fun) ->
    {_, Atomics, _, _, _} = parts(Socket),
    case atomics:get(Atomics, ?SLOT_STATE) of
        ?STATE_FAILED -> {error, einval};
        _ -> Fun()
    end.

is_new(?CONNECTION(_, Atomics, _, _, _)) -> atomics:get(Atomics, ?SLOT_STATE) =:= ?STATE_NEW;
is_new(?LISTENER(_, _, _, _, _)) -> false.

ask(Socket, Call) ->
    {Id, _, Port, _, Worker} = parts(Socket),
    ssl_port_worker:call(Worker, Port, Id, Call).

established(Socket, Call) ->
    case is_new(Socket) of
        true -> {error, notsup_on_transport_accept_socket};
        false -> ask(Socket, Call)
    end.

%% A listener is no connection, whether it is open or closed.
enotconn(?LISTENER(_, Atomics, _, Connection, _)) ->
    %% (Its process may outlive close/1 by a moment.)
    case atomics:get(Atomics, ?SLOT_STATE) =/= ?STATE_FAILED andalso is_process_alive(Connection) of
        true -> {error, enotconn};
        false -> {error, closed}
    end.

%% inet's word for a socket that is no more.
einval({error, closed}) -> {error, einval};
einval(Result) -> Result.
