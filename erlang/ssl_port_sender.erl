%%% @private
%%% The sending side, run by the caller of send/2: frames go straight to the port, within
%%% a window of unacknowledged bytes.
-module(ssl_port_sender).

-export([send/2]).

-include("ssl_port.hrl").

-define(FRAME, 262144).
-define(WINDOW, 1048576).
%% How long a sender of several frames waits for those that have begun with one. They are
%% done in microseconds, or wait like it for the port; only one that was killed right
%% there never finishes.
-define(SETTLE, 1000).

-spec send(tuple(), iodata()) -> ok | {error, term()}.
send(?CONNECTION(_, Atomics, _, _, _) = Socket, Data) ->
    Size = iolist_size(Data),
    case atomics:get(Atomics, ?SLOT_STATE) of
        ?STATE_OPEN ->
            case is_closed_below(Socket) of
                false -> packet(atomics:get(Atomics, ?SLOT_HEADER), Socket, Data, Size);
                true -> {error, closed}
            end;
        ?STATE_NEW -> {error, notsup_on_transport_accept_socket};
        ?STATE_FAILED -> failed(Socket)
    end.

%% Whoever upgraded a socket still has it, and may close it under the connection.
is_closed_below(?BEAM_CONNECTION(gen_tcp, Below)) when is_port(Below) ->
    erlang:port_info(Below, id) =:= undefined;
is_closed_below(_Socket) ->
    false.

packet(0, _Socket, _Data, 0) ->
    ok;
packet(0, Socket, Data, Size) ->
    write(Socket, Data, Size);
packet(Header, Socket, Data, Size) ->
    Bits = Header * 8,
    case (1 bsl Bits) - 1 of
        Max when Size > Max -> {error, {badarg, {packet_to_large, Size, Max}}};
        _ -> write(Socket, [<<Size:Bits>> | Data], Header + Size)
    end.

write(?CONNECTION(_, Atomics, _, Connection, _) = Socket, Data, Size) when Size =< ?FRAME ->
    case window(Socket) of
        ok ->
            atomics:add(Atomics, ?SLOT_SENDERS, 1),
            case atomics:get(Atomics, ?SLOT_LOCKED) of
                0 ->
                    Result = frame(Socket, Data, Size),
                    atomics:sub(Atomics, ?SLOT_SENDERS, 1),
                    Result;
                _ ->
                    atomics:sub(Atomics, ?SLOT_SENDERS, 1),
                    locked(Connection, fun() -> frame(Socket, Data, Size) end)
            end;
        Error ->
            Error
    end;
write(?CONNECTION(_, Atomics, _, Connection, _) = Socket, Data, Size) ->
    Vector = erlang:iolist_to_iovec(Data),
    carried_through(fun() ->
                            locked(Connection,
                                   fun() ->
                                           settle(Atomics, erlang:monotonic_time(millisecond) + ?SETTLE),
                                           frames(Socket, Vector, Size)
                                   end)
                    end).

%% In a process of its own: a caller that is killed in the midst of several frames must not leave half a packet
%% behind, which others would send into.
carried_through(Fun) ->
    {Caller, Reference} = {self(), make_ref()},
    {Pid, Monitor} = spawn_monitor(fun() -> Caller ! {Reference, Fun()} end),
    receive
        {Reference, Result} ->
            _ = erlang:demonitor(Monitor, [flush]),
            Result;
        {'DOWN', Monitor, process, Pid, _} ->
            {error, closed}
    end.

locked(Connection, Fun) ->
    case ssl_port_connection:lock(Connection) of
        ok ->
            try
                Fun()
            after
                ssl_port_connection:unlock(Connection)
            end;
        Error ->
            Error
    end.

settle(Atomics, End) ->
    case atomics:get(Atomics, ?SLOT_SENDERS) of
        0 -> ok;
        _ ->
            case erlang:monotonic_time(millisecond) < End of
                true ->
                    erlang:yield(),
                    settle(Atomics, End);
                false ->
                    atomics:put(Atomics, ?SLOT_SENDERS, 0)
            end
    end.

frames(Socket, Vector, Size) when Size =< ?FRAME ->
    case window(Socket) of
        ok -> frame(Socket, Vector, Size);
        Error -> Error
    end;
frames(Socket, Vector, Size) ->
    {Chunk, Rest} = take(?FRAME, Vector, []),
    case window(Socket) of
        ok ->
            case frame(Socket, Chunk, ?FRAME) of
                ok -> frames(Socket, Rest, Size - ?FRAME);
                Error -> Error
            end;
        Error ->
            Error
    end.

take(0, Vector, Acc) ->
    {lists:reverse(Acc), Vector};
take(N, [Binary | Rest], Acc) when byte_size(Binary) =< N ->
    take(N - byte_size(Binary), Rest, [Binary | Acc]);
take(N, [Binary | Rest], Acc) ->
    <<Head:N/binary, Tail/binary>> = Binary,
    {lists:reverse(Acc, [Head]), [Tail | Rest]}.

window(?CONNECTION(Id, Atomics, Port, _, Worker)) ->
    case atomics:get(Atomics, ?SLOT_UNACKED) < ?WINDOW of
        true -> ok;
        false -> ssl_port_worker:call(Worker, Port, Id, flush)
    end.

frame(?CONNECTION(Id, Atomics, Port, _, _), Data, Size) ->
    atomics:add(Atomics, ?SLOT_UNACKED, Size),
    try erlang:port_command(Port, [ssl_port_protocol:send_prefix(Id, Size) | Data]) of
        true -> ok
    catch
        error:badarg -> {error, closed}
    end.

%% The program said that nothing more can be sent; only it knows why.
failed(?CONNECTION(Id, _, Port, _, Worker)) ->
    case ssl_port_worker:call(Worker, Port, Id, flush) of
        {error, Reason} -> {error, Reason};
        ok -> {error, closed}
    end.
