%% The socket terms, and the slots of the atomics array that each of them carries.
%%
%% A connection is
%%     {sslsocket, {Transport, Socket, ssl_port, {Id, Atomics, Port}},
%%      [ConnectionPid, WorkerPid]},
%% where programs that look inside find the transport's module and its socket, as in ssl's
%% own (R48), if the BEAM owns the socket, and {node, Id} if Node.js does. A listener is
%%     {sslsocket, nil, {Socket, {ssl_port, Info, {Id, Atomics, Port},
%%                                [ConnectionPid, WorkerPid]}}}
%% with the transport's cb_info, or `node' in its place. Both are `=:='-stable for their
%% whole life: whatever changes lives in the atomics.

-define(CONNECTION(Id, Atomics, Port, Connection, Worker),
        {sslsocket, {_, _, ssl_port, {Id, Atomics, Port}}, [Connection, Worker]}).

-define(LISTENER(Id, Atomics, Port, Connection, Worker),
        {sslsocket, nil, {_, {ssl_port, _, {Id, Atomics, Port}, [Connection, Worker]}}}).

%% The same by their transport, for making them.
-define(CONNECTION_ON(Transport, Socket, Id, Atomics, Port, Connection, Worker),
        {sslsocket, {Transport, Socket, ssl_port, {Id, Atomics, Port}}, [Connection, Worker]}).
-define(LISTENER_ON(Info, Socket, Id, Atomics, Port, Connection, Worker),
        {sslsocket, nil, {Socket, {ssl_port, Info, {Id, Atomics, Port}, [Connection, Worker]}}}).

%% Those whose socket is the BEAM's, and those whose socket is Node.js's.
-define(BEAM_CONNECTION(Transport, Socket),
        {sslsocket, {Transport, Socket, ssl_port, {_, _, _}}, [_, _]}).
-define(BEAM_LISTENER(Transport, Socket),
        {sslsocket, nil, {Socket, {ssl_port, {Transport, _, _, _, _}, _, _}}}).
-define(NODE_CONNECTION, {sslsocket, {node, _, ssl_port, {_, _, _}}, [_, _]}).

%% Bytes written to the port and not yet acknowledged by the program.
-define(SLOT_UNACKED, 1).
%% State of the sending side.
-define(SLOT_STATE, 2).
-define(STATE_OPEN, 0).
-define(STATE_FAILED, 1).
-define(STATE_NEW, 2).
%% Active mode as last known.
-define(SLOT_ACTIVE, 3).
-define(ACTIVE_FALSE, 0).
-define(ACTIVE_TRUE, 1).
-define(ACTIVE_ONCE, 2).
%% Bytes of length header that send/2 puts before each call's data: 0, 1, 2 or 4.
-define(SLOT_HEADER, 4).
%% Senders within one frame, and whether a sender of several frames holds the rest back.
-define(SLOT_SENDERS, 5).
-define(SLOT_LOCKED, 6).
%% Of a listener: how many funs its connection process keeps for the connections to come.
-define(SLOT_FUNS, 7).
-define(SLOTS, 7).

%% The ETS table of the live workers: {Index, WorkerPid, Port, Counters}.
-define(WORKERS, ssl_port_workers).
%% Counters of a worker: the last connection id given out, the routes it holds.
-define(COUNTER_ID, 1).
-define(COUNTER_ROUTES, 2).
