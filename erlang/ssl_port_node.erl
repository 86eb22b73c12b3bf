%%% @private
%%% Connections and listeners over sockets that the port program owns, as their callers make
%%% them and set their options. For those over sockets of the BEAM's there is ssl_port_inet.
-module(ssl_port_node).

-export([connect/4]).
-export([listen/2]).
-export([accept/2]).
-export([setopts/2]).
-export([getopts/3]).
-export([changes/2]).

-include("ssl_port.hrl").

%% Options that no listener of Node.js can have been given: who asks for them gets a socket of the BEAM's.
-define(UNTOUCHED, [recbuf, sndbuf, linger, tos, priority]).

-type made() :: {ok, tuple()} | {ok, tuple(), map()} | {error, term()} | {option_not_a_key_value_tuple, term()}.

-spec connect(term(), term(), [term()], timeout()) -> made().
connect(Host, Port, Options, Timeout) ->
    make(connection, Options, fun(Opts) -> {connect, Host, Port, Opts, Timeout} end, {keyed, Timeout}).

-spec listen(term(), [term()]) -> made().
listen(Port, Options) ->
    make(listener, Options, fun(Opts) -> {listen, Port, Opts} end, infinity).

-spec accept(tuple(), timeout()) -> made().
accept(?LISTENER(ListenId, Atomics, _, Connection, WorkerPid), Timeout) ->
    case ssl_port_worker:worker(WorkerPid) of
        {ok, Worker} ->
            Count = atomics:get(Atomics, ?SLOT_FUNS),
            Funs = case Count of
                       0 -> #{};
                       _ -> ssl_port_connection:funs(Connection)
                   end,
            Made = make_on(Worker, connection, Funs, {accept, ListenId, Timeout}, Timeout),
            with_new_funs(Made, Count, atomics:get(Atomics, ?SLOT_FUNS), Connection);
        Error ->
            Error
    end.

%% A reload while the call waited has brought the listener other funs.
with_new_funs({ok, ?CONNECTION(_, Atomics, _, Connection, _)} = Made, Before, Count, Listener) when Count =/= Before ->
    Funs = ssl_port_connection:funs(Listener),
    ok = ssl_port_connection:add_funs(Connection, Funs),
    atomics:put(Atomics, ?SLOT_FUNS, map_size(Funs)),
    Made;
with_new_funs(Made, _Before, _Count, _Listener) ->
    Made.

make(Kind, Options, Call, Timeout) ->
    case ssl_port_options:expand(Options, ssl_port_options:environment()) of
        {ok, Opts, Funs} ->
            case ssl_port_worker:pick() of
                {ok, Worker} -> make_on(Worker, Kind, Funs, Call(Opts), Timeout);
                Error -> Error
            end;
        BadOption ->
            BadOption
    end.

make_on({_, Pid, Port, _} = Worker, Kind, Funs, Call, Timeout) ->
    case ssl_port_connection_sup:start_child(Kind, Worker, Funs) of
        {ok, Id, Atomics, Connection} ->
            case ssl_port_worker:call(Pid, Port, Id, Call, Timeout) of
                {error, _} = Error ->
                    ssl_port_connection:stop(Connection),
                    ssl_port_questions:restore(Error, Funs);
                {ok, {hello, Extensions}} ->
                    {ok, socket(Kind, Id, Atomics, Port, Connection, Pid), Extensions};
                _ ->
                    {ok, socket(Kind, Id, Atomics, Port, Connection, Pid)}
            end;
        Error ->
            Error
    end.

socket(connection, Id, Atomics, Port, Connection, Worker) ->
    ?CONNECTION_ON(node, Id, Id, Atomics, Port, Connection, Worker);
socket(listener, Id, Atomics, Port, Connection, Worker) ->
    ?LISTENER_ON(node, Id, Id, Atomics, Port, Connection, Worker).

-spec setopts(tuple(), [term()]) -> ok | {error, term()}.
setopts(?CONNECTION(Id, _, Port, _, Worker) = Socket, Options) ->
    setopts(Socket, Id, Port, Worker, Options);
setopts(?LISTENER(Id, _, Port, _, Worker) = Socket, Options) ->
    setopts(Socket, Id, Port, Worker, Options).

setopts(Socket, Id, Port, Worker, Options) ->
    Call = {setopts, changes(Socket, Options)},
    case ssl_port_worker:call(Worker, Port, Id, Call, {keyed, infinity}) of
        {error, _} = Error -> blamed(Socket, Options, Error);
        _ -> ok
    end.

%% R34: the error of a listener names all that was given.
blamed(?LISTENER(_, _, _, _, _), Options, {error, {options, {socket_options, _, Reason}}}) ->
    {error, {options, {socket_options, Options, Reason}}};
blamed(_Socket, _Options, Error) ->
    Error.

%% A listener has what every new one of this machine has in these options; a
%% connection's the kernel may have changed, and nobody here can ask for them.
-spec getopts(tuple(), [atom()], fun(([atom()]) -> Result)) -> Result
              when Result :: {ok, [{atom(), term()}]} | {error, term()}.
getopts(?LISTENER(_, _, _, _, _), Names, Ask) ->
    case lists:partition(fun(Name) -> lists:member(Name, ?UNTOUCHED) end, Names) of
        {[], _} -> Ask(Names);
        {Untouched, Rest} -> with_untouched(Ask(Rest), lists:reverse(Untouched))
    end;
getopts(_Connection, Names, Ask) ->
    Ask(Names).

with_untouched({ok, Values}, Names) ->
    case gen_tcp:listen(0, [{ip, loopback}]) of
        {ok, New} ->
            Told = inet:getopts(New, Names),
            ok = gen_tcp:close(New),
            case Told of
                {ok, Defaults} -> {ok, Values ++ Defaults};
                {error, Reason} -> {error, {options, {socket_options, Names, Reason}}}
            end;
        {error, Reason} ->
            {error, {options, {socket_options, Names, Reason}}}
    end;
with_untouched(Error, _Names) ->
    Error.

%% As the program takes them. As with ssl, a listener does not know the short forms.
-spec changes(tuple(), [term()]) -> [term()].
changes(?CONNECTION(_, _, _, _, _), Options) ->
    [mode(Option) || Option <- Options];
changes(?LISTENER(_, _, _, _, _), Options) ->
    [Option || Option <- Options, Option =/= binary, Option =/= list].

mode(binary) -> {mode, binary};
mode(list) -> {mode, list};
mode(Option) -> Option.
