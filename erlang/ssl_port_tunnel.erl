%%% @private
%%% The BEAM's end of a tunnel: carries the bytes of a socket that the BEAM owns to the port
%%% program and back. The connection process owns the socket, reads it and writes what it
%%% reads straight to the port; what the program writes is routed to ssl_port_tunnel_sender.
%%%
%%% Both directions have a window (docs/protocol.md, "Tunnels"). While more than
%%% ?WINDOW bytes that were read are not taken by the program, the socket is passive.
-module(ssl_port_tunnel).

-export([open/5]).
-export([sender/1]).
-export([settle/2]).
-export([resume/1]).
-export([message/2]).
-export([taken/2]).
-export([detach/2]).
-export([close/1]).

%% ssl_port_tunnel_sender.
-export([write/2]).

-export_type([tunnel/0]).

-record(tunnel, {
          id :: ssl_port_protocol:id(),
          port :: port(),
          info :: ssl_port_transport:cb_info(),
          socket :: term(),
          sender :: pid(),
          %% Bytes that came before the socket was ours.
          early :: binary(),
          %% `idle' until the handshake, `full' while the window is; `over' at its end.
          state = idle :: idle | reading | full | over,
          %% How the socket reads: {active, N}, or {active, once} where it has no other.
          mode :: once | pos_integer(),
          untaken = 0 :: non_neg_integer()
         }).

-type tunnel() :: #tunnel{}.

-define(WINDOW, 262144).
-define(RESUME, 131072).
%% Bytes of one read of a socket of gen_tcp: its default, and ours.
-define(SMALL_BUFFER, 1460).
-define(BUFFER, 65536).
%% Messages of one {active, N} (application environment internal_active_n).
-define(ACTIVE, 32).
%% The longest frame.
-define(FRAME, 1048576).

%% Called by the process that owns the socket from now on.
-spec open(ssl_port_protocol:id(), port(), ssl_port_transport:cb_info(), term(), binary()) ->
          tunnel().
open(Id, Port, {Module, _, _, _, _} = Info, Socket, Early) ->
    process_flag(trap_exit, true),
    ok = enlarge(Module, Socket),
    Sender = ssl_port_tunnel_sender:spawn_link(Id, Port, Module, Socket),
    #tunnel{id = Id, port = Port, info = Info, socket = Socket, sender = Sender, early = Early,
            mode = active()}.

%% inet reads 1460 bytes at a time where nobody has said otherwise.
enlarge(gen_tcp, Socket) ->
    case ssl_port_transport:getopts(gen_tcp, Socket, [buffer]) of
        {ok, [{buffer, ?SMALL_BUFFER}]} ->
            _ = ssl_port_transport:setopts(gen_tcp, Socket, [{buffer, ?BUFFER}]),
            ok;
        _ ->
            ok
    end;
enlarge(_Module, _Socket) ->
    ok.

active() ->
    case application:get_env(ssl_port, internal_active_n) of
        {ok, N} when is_integer(N), N > 0, N =< 32767 -> N;
        _ -> ?ACTIVE
    end.

-spec sender(tunnel()) -> pid().
sender(#tunnel{sender = Sender}) -> Sender.

%% Answers From once what the program has written so far is the socket's.
-spec settle(tunnel(), gen_server:from()) -> ok.
settle(#tunnel{sender = Sender}, From) ->
    Sender ! {settle, From},
    ok.

%% Begins to read.
-spec resume(tunnel()) -> tunnel().
resume(#tunnel{state = idle, early = Early} = Tunnel) ->
    read(forward(Early, Tunnel#tunnel{state = full, early = <<>>}));
resume(Tunnel) ->
    Tunnel.

read(#tunnel{state = full, untaken = Untaken} = Tunnel) when Untaken < ?WINDOW ->
    activate(Tunnel#tunnel{state = reading});
read(Tunnel) ->
    Tunnel.

activate(#tunnel{info = {Module, _, _, _, _}, socket = Socket, mode = Mode} = Tunnel) ->
    case ssl_port_transport:setopts(Module, Socket, [{active, Mode}]) of
        ok -> Tunnel;
        {error, Reason} when Mode =:= once -> ended(reason(Reason), Tunnel);
        %% A transport that does not count.
        {error, _} -> activate(Tunnel#tunnel{mode = once})
    end.

%% A message of the connection process, which may be the socket's.
-spec message(term(), tunnel()) -> {ok, tunnel()} | ignored.
message({Data, Socket, Bytes}, #tunnel{info = {_, Data, _, _, _}, socket = Socket} = Tunnel) ->
    {ok, received(Bytes, Tunnel)};
message({Passive, Socket}, #tunnel{info = {_, _, _, _, Passive}, socket = Socket} = Tunnel) ->
    {ok, rearm(Tunnel)};
message({Closed, Socket}, #tunnel{info = {_, _, Closed, _, _}, socket = Socket} = Tunnel) ->
    {ok, ended(end_of_file(Tunnel), Tunnel)};
message({Error, Socket, Reason},
        #tunnel{info = {_, _, _, Error, _}, socket = Socket} = Tunnel) ->
    {ok, ended(reason(Reason), Tunnel)};
message({'EXIT', Socket, _Reason}, #tunnel{socket = Socket} = Tunnel) ->
    {ok, ended(closed, Tunnel)};
message({send_failed, Sender, Reason}, #tunnel{sender = Sender} = Tunnel) ->
    {ok, failed(reason(Reason), Tunnel)};
%% What it had not sent yet is lost, and with it the connection.
message({'EXIT', Sender, _Reason}, #tunnel{sender = Sender} = Tunnel) ->
    #tunnel{info = {Module, _, _, _, _}, socket = Socket} = Tunnel,
    ok = ssl_port_transport:close(Module, Socket),
    {ok, failed(closed, Tunnel)};
message(_Message, _Tunnel) ->
    ignored.

failed(Reason, #tunnel{id = Id, port = Port} = Tunnel) ->
    write(Port, ssl_port_protocol:tunnel_failed(Id, Reason)),
    Tunnel#tunnel{state = over}.

received(Bytes, #tunnel{mode = once, state = reading} = Tunnel) ->
    read(forward(iolist_to_binary(Bytes), Tunnel#tunnel{state = full}));
received(Bytes, Tunnel) ->
    stop_when_full(forward(iolist_to_binary(Bytes), Tunnel)).

stop_when_full(#tunnel{state = reading, untaken = Untaken} = Tunnel) when Untaken >= ?WINDOW ->
    #tunnel{info = {Module, _, _, _, _}, socket = Socket} = Tunnel,
    _ = ssl_port_transport:setopts(Module, Socket, [{active, false}]),
    Tunnel#tunnel{state = full};
stop_when_full(Tunnel) ->
    Tunnel.

rearm(#tunnel{state = reading} = Tunnel) -> read(Tunnel#tunnel{state = full});
rearm(Tunnel) -> Tunnel.

%% The program has taken so many bytes.
-spec taken(non_neg_integer(), tunnel()) -> tunnel().
taken(Bytes, #tunnel{untaken = Untaken} = Tunnel) ->
    case Tunnel#tunnel{untaken = Untaken - Bytes} of
        #tunnel{state = full, untaken = Rest} = Less when Rest =< ?RESUME -> read(Less);
        Less -> Less
    end.

forward(<<>>, Tunnel) ->
    Tunnel;
forward(Bytes, #tunnel{id = Id, port = Port, untaken = Untaken} = Tunnel)
  when byte_size(Bytes) =< ?FRAME ->
    Size = byte_size(Bytes),
    write(Port, [ssl_port_protocol:tunnel_prefix(Id, Size), Bytes]),
    Tunnel#tunnel{untaken = Untaken + Size};
forward(<<Head:?FRAME/binary, Rest/binary>>, Tunnel) ->
    forward(Rest, forward(Head, Tunnel)).

ended(_Reason, #tunnel{state = over} = Tunnel) ->
    Tunnel;
ended(Reason, #tunnel{id = Id, port = Port} = Tunnel) ->
    write(Port, ssl_port_protocol:tunnel_end(Id, Reason)),
    Tunnel#tunnel{state = over}.

%% Behind the peer's FIN may still be written where the socket is one that stays open.
end_of_file(#tunnel{info = {Module, _, _, _, _}, socket = Socket}) ->
    case ssl_port_transport:getopts(Module, Socket, [exit_on_close]) of
        {ok, [{exit_on_close, false}]} -> eof;
        _ -> closed
    end.

reason(eof) -> closed;
reason(Reason) when is_atom(Reason) -> Reason;
reason(_) -> closed.

%% A port that is gone needs no care here: the worker's end is heard of otherwise.
-spec write(port(), iodata()) -> ok.
write(Port, Frame) ->
    try erlang:port_command(Port, Frame) of
        true -> ok
    catch
        error:badarg -> ok
    end.

%% Gives the socket back, passive, to Pid: with what it brought and nobody has seen.
-spec detach(tunnel(), pid()) -> {ok, term(), binary()} | {error, term()}.
detach(#tunnel{state = over}, _Pid) ->
    {error, closed};
detach(#tunnel{info = {Module, _, _, _, _} = Info, socket = Socket, sender = Sender}, Pid) ->
    Options = [{active, false}, {packet, 0}, {mode, binary}],
    case ssl_port_transport:setopts(Module, Socket, Options) of
        ok ->
            stop_sender(Sender),
            Late = mailbox(Info, Socket, <<>>),
            case ssl_port_transport:controlling_process(Module, Socket, Pid) of
                ok -> {ok, Socket, Late};
                Error -> Error
            end;
        {error, _} ->
            {error, closed}
    end.

%% What the socket has told this process already.
mailbox({_, Data, _, _, Passive} = Info, Socket, Acc) ->
    receive
        {Data, Socket, Bytes} -> mailbox(Info, Socket, <<Acc/binary, (iolist_to_binary(Bytes))/binary>>);
        {Passive, Socket} -> mailbox(Info, Socket, Acc)
    after 0 ->
        Acc
    end.

-spec close(tunnel()) -> ok.
close(#tunnel{info = {Module, _, _, _, _}, socket = Socket, sender = Sender}) ->
    stop_sender(Sender),
    ssl_port_transport:close(Module, Socket).

%% It would outlive a process that ends as it should.
stop_sender(Sender) ->
    true = unlink(Sender),
    true = exit(Sender, kill),
    ok.
