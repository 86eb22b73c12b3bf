%%% @private
%%% Connections and listeners over sockets that the BEAM owns, as their callers make and ask
%%% them: connecting, listening and accepting by `gen_tcp' or a module of the user's, the
%%% upgrade of a socket that is connected already, and the way back. What is the transport's
%%% to answer is asked here, what is TLS's by the program.
-module(ssl_port_inet).

-export([connect/4]).
-export([upgrade/4]).
-export([listen/2]).
-export([accept/2]).
-export([downgrade/3]).

-export([setopts/2]).
-export([getopts/2]).

-include("ssl_port.hrl").

-type made() :: {ok, tuple()} | {ok, tuple(), map()} | error().
-type error() :: {error, term()} | {option_not_a_key_value_tuple, term()}.

%% What a socket brings along into TLS.
-define(CARRIED, [mode, packet, active, header, packet_size]).
-define(CARRIED_TOO, [exit_on_close, send_timeout, send_timeout_close]).

-spec connect(term(), term(), [term()], timeout()) -> made().
connect(Host, Port, Options, Timeout) ->
    Deadline = deadline(Timeout),
    made(Options, ssl_port_options:environment(),
         fun(Info, Opts, Theirs, New) ->
                 case New(connection, {tunnel, client, Host, Port, Opts}) of
                     {ok, Connection} ->
                         connected(ssl_port_transport:connect(Info, Host, Port, Theirs, Timeout),
                                   Info, Connection, Deadline);
                     Error ->
                         Error
                 end
         end).

connected({ok, Below}, Info, Connection, Deadline) ->
    case attach(Info, Below, <<>>, Connection) of
        {ok, Socket} -> handshake(Socket, left(Deadline));
        Error -> Error
    end;
connected(Error, _Info, Connection, _Deadline) ->
    ssl_port_connection:stop(Connection),
    Error.

%% R30: the caller owns the socket. Its options of delivery hold on, unless others are given.
-spec upgrade(client | server, term(), [term()], timeout()) -> made().
upgrade(Role, Below, Options, Timeout) ->
    case ssl_port_transport:split(Options) of
        {ok, {Module, _, _, _, _}, Ours, _Theirs} ->
            case ssl_port_options:written(Ours) of
                {ok, _} -> upgrade_owned(Role, Module, Below, Options, Ours, Timeout);
                BadOption -> BadOption
            end;
        Error ->
            Error
    end.

upgrade_owned(Role, Module, Below, Options, Ours, Timeout) ->
    case ssl_port_transport:may_be_socket(Module, Below) andalso ssl_port_transport:not_owner(Below) of
        true -> {error, not_owner};
        false -> upgrade(Role, Module, Below, Options, carried(Module, Below, Ours), Timeout)
    end.

upgrade(_Role, _Module, _Below, _Options, {error, _} = Error, _Timeout) ->
    Error;
upgrade(Role, Module, Below, Options, {ok, Carried}, Timeout) ->
    {Host, Port} = case ssl_port_transport:peername(Module, Below) of
                       {ok, {Address, Number}} -> {Address, Number};
                       _ -> {undefined, 0}
                   end,
    made(Options ++ Carried, ssl_port_options:environment(),
         fun(Info, Opts, Theirs, New) ->
                 case New(connection, {tunnel, Role, Host, Port, Opts}) of
                     {ok, Connection} ->
                         taken_over(Info, Below, Theirs, proplists:get_value(packet, Carried),
                                    Connection, Timeout);
                     Error ->
                         Error
                 end
         end).

%% Options of the socket as it is, but for those that the caller gives.
carried(Module, Below, Ours) ->
    Given = [name(Option) || Option <- Ours],
    case ssl_port_transport:getopts(Module, Below, ?CARRIED) of
        {ok, Options} ->
            More = case ssl_port_transport:getopts(Module, Below, ?CARRIED_TOO) of
                       {ok, Others} -> Others;
                       _ -> []
                   end,
            {ok, [Option || {Name, _} = Option <- Options ++ More, not lists:member(Name, Given)]};
        {error, _} when Module =:= gen_tcp ->
            {error, closed};
        _ ->
            {ok, []}
    end.

name(binary) -> mode;
name(list) -> mode;
name(Option) when is_tuple(Option), tuple_size(Option) > 0 -> element(1, Option);
name(Option) -> Option.

taken_over({Module, _, _, _, _} = Info, Below, Theirs, Packet, Connection, Timeout) ->
    %% As in ssl, what a connected socket cannot take any more has no effect.
    _ = [ssl_port_transport:setopts(Module, Below, [Option]) || Option <- lists:reverse(Theirs)],
    Internal = ssl_port_transport:internal_options() ++ [{send_timeout, infinity} || Module =:= gen_tcp],
    case ssl_port_transport:setopts(Module, Below, Internal) of
        ok ->
            Early = early(Info, Below, Packet, <<>>),
            case attach(Info, Below, Early, Connection) of
                {ok, Socket} -> settled(handshake(Socket, Timeout), Connection);
                Error -> Error
            end;
        {error, _} ->
            ssl_port_connection:stop(Connection),
            {error, closed}
    end.

settled(Made, Connection) when element(1, Made) =:= ok ->
    ok = ssl_port_connection:settle(Connection),
    Made;
settled(Error, _Connection) ->
    Error.

%% An active socket may have told its owner of the first bytes of TLS before it was passive.
early({_, Data, _, _, Passive} = Info, Below, Packet, Acc) when Packet =:= raw; Packet =:= 0 ->
    receive
        {Data, Below, Bytes} ->
            early(Info, Below, Packet, <<Acc/binary, (iolist_to_binary(Bytes))/binary>>);
        {Passive, Below} ->
            early(Info, Below, Packet, Acc)
    after 0 ->
        Acc
    end;
early(_Info, _Below, _Packet, Acc) ->
    Acc.

-spec listen(term(), [term()]) -> {ok, tuple()} | error().
listen(Port, Options) ->
    made(Options, ssl_port_options:environment(),
         fun(Info, Opts, Theirs, New) ->
                 case New(listener, {tunnel_listen, some(Opts)}) of
                     {ok, Connection} ->
                         listening(ssl_port_transport:listen(Info, Port, Theirs), Info, Connection);
                     Error ->
                         Error
                 end
         end).

%% Where the transport has taken every option: the caller did give some.
some([{'$env', _}] = Rest) -> [{mode, list} | Rest];
some([]) -> [{mode, list}];
some(Opts) -> Opts.

%% R02: a listener whose count is none has told so before its socket had this name.
listening(Result, Info, Connection) ->
    Expired = receive {ssl_passive, ?LISTENER(_, _, _, Connection, _)} -> true after 0 -> false end,
    case Result of
        {ok, Below} ->
            Attached = ssl_port_connection:attach(Connection, Info, Below, <<>>),
            _ = [self() ! {ssl_passive, Socket} || Expired, {ok, Socket} <- [Attached]],
            Attached;
        Error ->
            ssl_port_connection:stop(Connection),
            Error
    end.

-spec accept(tuple(), timeout()) -> {ok, tuple()} | {error, term()}.
accept(?LISTENER_ON({Module, _, _, _, _} = Info, Below, ListenId, Atomics, _, Owner, WorkerPid),
       Timeout) ->
    case ssl_port_transport:accept(Module, Below, Timeout) of
        {ok, Accepted} ->
            case ssl_port_worker:worker(WorkerPid) of
                {ok, Worker} ->
                    Funs = case atomics:get(Atomics, ?SLOT_FUNS) of
                               0 -> #{};
                               _ -> ssl_port_connection:funs(Owner)
                           end,
                    accepted(new(Worker, Funs, connection, {tunnel_accept, ListenId}), Info, Accepted);
                Error ->
                    accepted(Error, Info, Accepted)
            end;
        {error, Reason} ->
            {error, Reason}
    end.

accepted({ok, Connection}, Info, Below) ->
    attach(Info, Below, <<>>, Connection);
accepted(Error, {Module, _, _, _, _}, Below) ->
    ok = ssl_port_transport:close(Module, Below),
    Error.

%% Options apart, a worker, and what makes a connection or a listener on it.
made(Options, Environment, Fun) ->
    case ssl_port_transport:split(Options) of
        {ok, Info, Ours, Theirs} ->
            case ssl_port_options:expand(Ours, Environment) of
                {ok, Opts, Funs} ->
                    case ssl_port_worker:pick() of
                        {ok, Worker} ->
                            New = fun(Kind, Call) -> new(Worker, Funs, Kind, Call) end,
                            Fun(Info, Opts, Theirs, New);
                        Error ->
                            Error
                    end;
                BadOption ->
                    BadOption
            end;
        Error ->
            Error
    end.

new({_, Pid, Port, _} = Worker, Funs, Kind, Call) ->
    case ssl_port_connection_sup:start_child(Kind, Worker, Funs) of
        {ok, Id, _Atomics, Connection} ->
            case ssl_port_worker:call(Pid, Port, Id, Call) of
                ok ->
                    {ok, Connection};
                Error ->
                    ssl_port_connection:stop(Connection),
                    Error
            end;
        Error ->
            Error
    end.

%% The socket changes hands.
attach({Module, _, _, _, _} = Info, Below, Early, Connection) ->
    case ssl_port_transport:controlling_process(Module, Below, Connection) of
        ok ->
            ssl_port_connection:attach(Connection, Info, Below, Early);
        {error, Reason} ->
            ssl_port_connection:stop(Connection),
            {error, Reason}
    end.

handshake(?CONNECTION(Id, _, Port, Connection, Worker) = Socket, Timeout) ->
    ok = ssl_port_connection:resume(Connection),
    case ssl_port_worker:call(Worker, Port, Id, {handshake, [], Timeout}, {keyed, Timeout}) of
        {ok, _Active, _PacketHeader} ->
            {ok, Socket};
        {ok, {hello, Extensions}} ->
            {ok, Socket, Extensions};
        Error ->
            ssl_port_connection:stop(Connection),
            Error
    end.

deadline(infinity) -> infinity;
deadline(Timeout) -> erlang:monotonic_time(millisecond) + Timeout.

left(infinity) -> infinity;
left(Deadline) -> max(0, Deadline - erlang:monotonic_time(millisecond)).

%% R26: close_notify both ways, then the socket is Pid's, with the first bytes that are no TLS.
-spec downgrade(tuple(), pid(), timeout()) -> {ok, term()} | {ok, term(), binary()} | {error, term()}.
downgrade(?CONNECTION(Id, Atomics, Port, Connection, Worker), Pid, Timeout) ->
    Result = case ssl_port_worker:call(Worker, Port, Id, {downgrade, Timeout}, Timeout) of
                 ok -> given_back(Id, Port, Connection, Worker, Pid);
                 Error -> Error
             end,
    atomics:put(Atomics, ?SLOT_ACTIVE, ?ACTIVE_FALSE),
    atomics:put(Atomics, ?SLOT_STATE, ?STATE_FAILED),
    ssl_port_connection:stop(Connection),
    Result.

given_back(Id, Port, Connection, Worker, Pid) ->
    case ssl_port_connection:detach(Connection, Pid) of
        {ok, Below, Late} ->
            %% This stands behind all that the connection process has sent.
            case ssl_port_worker:call(Worker, Port, Id, take_rest) of
                {ok, <<>>} when Late =:= <<>> -> {ok, Below};
                {ok, Rest} -> {ok, Below, <<Rest/binary, Late/binary>>};
                Error -> Error
            end;
        Error ->
            Error
    end.

%% Options: ssl's emulated ones are the program's, all others the socket's (R34, R35).

-spec setopts(tuple(), [term()]) -> ok | {error, term()}.
setopts(Socket, Options) ->
    {Ours, Theirs} = lists:partition(fun ours/1, Options),
    Shared = [Option || {exit_on_close, _} = Option <- Theirs],
    case ask(Socket, {setopts, ssl_port_node:changes(Socket, Ours) ++ Shared}, {keyed, infinity}) of
        {error, _} = Error -> Error;
        _ -> set_below(Socket, Theirs, Options)
    end.

ours(Option) ->
    Option =:= binary orelse Option =:= list orelse
        (is_tuple(Option) andalso tuple_size(Option) =:= 2
         andalso ssl_port_transport:is_socket_option(element(1, Option))).

%% R34: the transport has them in reverse, and of a connection the error names them so.
set_below(_Socket, [], _All) ->
    ok;
set_below(Socket, Options, All) ->
    {Module, Below} = below(Socket),
    Reversed = lists:reverse(Options),
    case {ssl_port_transport:setopts(Module, Below, Reversed), Socket} of
        {ok, _} -> ok;
        {{error, Reason}, ?LISTENER(_, _, _, _, _)} -> {error, {options, {socket_options, All, Reason}}};
        {{error, Reason}, _} -> {error, {options, {socket_options, Reversed, Reason}}}
    end.

-spec getopts(tuple(), [atom()]) -> {ok, [{atom(), term()}]} | {error, term()}.
getopts(Socket, Names) ->
    {Ours, Theirs} = lists:partition(fun ssl_port_transport:is_socket_option/1, Names),
    case ask(Socket, {getopts, Ours}, infinity) of
        {ok, Values} -> told(Socket, Names, Values, Theirs);
        Error -> Error
    end.

told(?BEAM_LISTENER(Module, Below), _Names, Values, Theirs) ->
    case ssl_port_transport:getopts(Module, Below, lists:reverse(Theirs)) of
        {ok, Others} -> {ok, Values ++ Others};
        {error, Reason} -> {error, {options, {socket_options, Theirs, Reason}}}
    end;
told(Socket, Names, Values, _Theirs) ->
    {Module, Below} = below(Socket),
    reversed(Names, Values, Module, Below, []).

reversed([], _Values, _Module, _Below, Acc) ->
    {ok, Acc};
reversed([Name | Names], Values, Module, Below, Acc) ->
    case lists:keyfind(Name, 1, Values) of
        {_, _} = Option ->
            reversed(Names, Values, Module, Below, [Option | Acc]);
        false ->
            case ssl_port_transport:getopts(Module, Below, [Name]) of
                {ok, Options} -> reversed(Names, Values, Module, Below, Options ++ Acc);
                {error, Reason} -> {error, {options, {socket_options, Name, Reason}}}
            end
    end.

below(?BEAM_CONNECTION(Module, Below)) -> {Module, Below};
below(?BEAM_LISTENER(Module, Below)) -> {Module, Below}.

ask(?CONNECTION(Id, _, Port, _, Worker), Call, Timeout) ->
    ssl_port_worker:call(Worker, Port, Id, Call, Timeout);
ask(?LISTENER(Id, _, Port, _, Worker), Call, Timeout) ->
    ssl_port_worker:call(Worker, Port, Id, Call, Timeout).
