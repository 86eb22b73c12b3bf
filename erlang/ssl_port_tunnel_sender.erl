%%% @private
%%% Writes to a socket of the BEAM's what the port program has written for it, and alone waits where the peer takes
%%% nothing: a process beside the connection's, to which the worker routes the bytes. It is a gen_server, so that
%%% between two messages it runs no code of this application, which may then be loaded anew.
-module(ssl_port_tunnel_sender).
-behaviour(gen_server).

-export([spawn_link/4]).

%% gen_server.
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).

-record(state, {
          connection :: pid(),
          id :: ssl_port_protocol:id(),
          port :: port(),
          module :: module(),
          socket :: term()
         }).

%% The most that is sent in one call.
-define(BATCH, 524288).

%% Called by the connection process, which hears `{send_failed, Sender, Reason}' from it.
-spec spawn_link(ssl_port_protocol:id(), port(), module(), term()) -> pid().
spawn_link(Id, Port, Module, Socket) ->
    State = #state{connection = self(), id = Id, port = Port, module = Module, socket = Socket},
    proc_lib:spawn_link(gen_server, enter_loop, [?MODULE, [], State]).

-spec init(#state{}) -> {ok, #state{}}.
init(State) ->
    {ok, State}.

-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, term(), #state{}}.
handle_call(_Request, _From, State) ->
    {reply, {error, badarg}, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Message, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({tunnel, Data}, #state{module = Module, socket = Socket} = State) ->
    {Size, Batch} = batch(byte_size(Data), [Data]),
    case ssl_port_transport:send(Module, Socket, Batch) of
        ok -> acknowledge(Size, State);
        {error, Reason} -> failed(Reason, State)
    end,
    {noreply, State};
handle_info({settle, From}, State) ->
    gen_server:reply(From, ok),
    {noreply, State};
handle_info(tunnel_end, #state{module = Module, socket = Socket} = State) ->
    case ssl_port_transport:shutdown(Module, Socket, write) of
        ok -> ok;
        %% Its end is all that such a socket can show.
        {error, Reason} -> failed(Reason, State)
    end,
    acknowledge(1, State),
    {noreply, State};
handle_info(_Message, State) ->
    {noreply, State}.

%% Data that waits together leaves together.
batch(Size, Acc) when Size >= ?BATCH ->
    {Size, lists:reverse(Acc)};
batch(Size, Acc) ->
    receive
        {tunnel, Data} -> batch(Size + byte_size(Data), [Data | Acc])
    after 0 ->
        {Size, lists:reverse(Acc)}
    end.

acknowledge(Size, #state{id = Id, port = Port}) ->
    ssl_port_tunnel:write(Port, ssl_port_protocol:tunnel_ack(Id, Size)).

failed(Reason, #state{connection = Connection}) ->
    Connection ! {send_failed, self(), Reason},
    ok.
