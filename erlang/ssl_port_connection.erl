%%% @private
%%% One process for each connection and each listener. It ties three lives together: when
%%% the owner dies it ends, and the worker then releases the connection in the program;
%%% when the worker dies it tells the owner and ends; when the program forgets the
%%% connection it ends. It keeps the user's funs (ssl_port_questions runs them), and writes
%%% log lines.
-module(ssl_port_connection).
-behaviour(gen_server).

-export([start_link/1]).
-export([stop/1]).
-export([controlling_process/2]).
-export([funs/1]).
-export([add_funs/2]).
-export([notify_closed/3]).
-export([lock/1]).
-export([unlock/1]).
-export([attach/4]).
-export([resume/1]).
-export([settle/1]).
-export([detach/2]).

%% gen_server.
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).
-export([terminate/2]).

-export_type([args/0]).

-include("ssl_port.hrl").

-type args() :: #{kind := connection | listener,
                  id := ssl_port_protocol:id(),
                  owner := pid(),
                  worker := pid(),
                  port := port(),
                  atomics := atomics:atomics_ref(),
                  funs := ssl_port_questions:funs()}.

%% How long the program has for the end of a connection: more than it takes.
-define(GOODBYE, 10000).

%% How long settle/1 waits for a peer that takes nothing.
-define(SETTLE, 1000).

-record(state, {
          id :: ssl_port_protocol:id(),
          since :: integer(),
          owner :: pid(),
          owner_monitor :: reference(),
          worker :: pid(),
          worker_monitor :: reference(),
          port :: port(),
          socket :: tuple(),
          atomics :: atomics:atomics_ref(),
          funs :: ssl_port_questions:funs(),
          %% Where the socket below is the BEAM's: `down' once it has been given back.
          tunnel :: undefined | ssl_port_tunnel:tunnel() | {listener, module(), term()} | down,
          %% Who calls the fun of keep_secrets, once there is something to tell.
          key_log :: undefined | pid(),
          %% Nobody holds the connection any more: the program is saying goodbye.
          leaving = false :: boolean(),
          %% Who sends several frames in a row, and who waits for that turn.
          sender :: undefined | {pid(), reference()},
          waiting = queue:new() :: queue:queue(gen_server:from())
         }).

-spec start_link(args()) -> {ok, pid()} | {error, term()} | ignore.
start_link(Args) ->
    gen_server:start_link(?MODULE, Args, [{hibernate_after, 1000}]).

%% Ends the process; the worker releases whatever the program still holds.
-spec stop(pid()) -> ok.
stop(Connection) ->
    gen_server:cast(Connection, stop).

-spec controlling_process(pid(), pid()) -> ok | {error, closed}.
controlling_process(Connection, Owner) ->
    call(Connection, {controlling_process, Owner}, {error, closed}).

-spec funs(pid()) -> ssl_port_questions:funs().
funs(Connection) ->
    call(Connection, funs, #{}).

-spec add_funs(pid(), ssl_port_questions:funs()) -> ok.
add_funs(Connection, Funs) when map_size(Funs) =:= 0, is_pid(Connection) ->
    ok;
add_funs(Connection, Funs) ->
    call(Connection, {add_funs, Funs}, ok).

%% Tells an active owner of the end, unless somebody has told it already.
-spec notify_closed(pid(), tuple(), atomics:atomics_ref()) -> ok.
notify_closed(Owner, Socket, Atomics) ->
    atomics:put(Atomics, ?SLOT_STATE, ?STATE_FAILED),
    case atomics:exchange(Atomics, ?SLOT_ACTIVE, ?ACTIVE_FALSE) of
        ?ACTIVE_FALSE -> ok;
        _ -> Owner ! {ssl_closed, Socket}, ok
    end.

%% Sending what takes several frames: nobody else's bytes may come between them.
-spec lock(pid()) -> ok | {error, closed}.
lock(Connection) ->
    call(Connection, lock, {error, closed}).

-spec unlock(pid()) -> ok.
unlock(Connection) ->
    gen_server:cast(Connection, {unlock, self()}).

%% The socket below is one of the BEAM's, that this process owns now: returns the socket term.
-spec attach(pid(), ssl_port_transport:cb_info(), term(), binary()) ->
          {ok, tuple()} | {error, closed}.
attach(Connection, Info, Socket, Early) ->
    call(Connection, {attach, Info, Socket, Early}, {error, closed}).

%% The handshake begins: the socket below may be read.
-spec resume(pid()) -> ok.
resume(Connection) ->
    gen_server:cast(Connection, resume).

%% Returns once the program's last words of a handshake are with the socket below: whoever upgraded it
%% may close it then, and the peer has a whole handshake all the same.
-spec settle(pid()) -> ok.
settle(Connection) ->
    try
        gen_server:call(Connection, settle, ?SETTLE)
    catch
        exit:_ -> ok
    end.

%% Gives the socket below to Pid, with bytes that it brought last.
-spec detach(pid(), pid()) -> {ok, term(), binary()} | {error, term()}.
detach(Connection, Pid) ->
    call(Connection, {detach, Pid}, {error, closed}).

call(Connection, Request, Gone) ->
    try
        gen_server:call(Connection, Request, infinity)
    catch
        exit:_ -> Gone
    end.

%% gen_server.

-spec init(args()) -> {ok, #state{}}.
init(#{kind := Kind, id := Id, owner := Owner, worker := Worker, port := Port,
       atomics := Atomics, funs := Funs}) ->
    Socket = socket(Kind, Id, Atomics, Port, Worker),
    ok = ssl_port_worker:register_route(Worker, Id, Owner, Socket, Atomics),
    {ok, #state{id = Id, since = erlang:monotonic_time(millisecond), owner = Owner, owner_monitor = erlang:monitor(process, Owner),
                worker = Worker, worker_monitor = erlang:monitor(process, Worker),
                port = Port, socket = Socket, atomics = Atomics, funs = Funs}}.

socket(connection, Id, Atomics, Port, Worker) ->
    ?CONNECTION_ON(node, Id, Id, Atomics, Port, self(), Worker);
socket(listener, Id, Atomics, Port, Worker) ->
    ?LISTENER_ON(node, Id, Id, Atomics, Port, self(), Worker).

-spec handle_call(term(), gen_server:from(), #state{}) ->
          {reply, term(), #state{}} | {noreply, #state{}}.
handle_call({attach, Info, Socket, Early}, _From, State) ->
    attached(Info, Socket, Early, State);
handle_call({detach, Pid}, _From, #state{tunnel = Tunnel} = State) when is_tuple(Tunnel) ->
    case ssl_port_tunnel:detach(Tunnel, Pid) of
        {ok, _, _} = Reply -> {reply, Reply, State#state{tunnel = down}};
        Error -> {reply, Error, State}
    end;
handle_call(settle, From, #state{tunnel = Tunnel} = State) when is_tuple(Tunnel) ->
    ok = ssl_port_tunnel:settle(Tunnel, From),
    {noreply, State};
handle_call(lock, From, #state{waiting = Waiting} = State) ->
    {noreply, grant(State#state{waiting = queue:in(From, Waiting)})};
handle_call({controlling_process, Owner}, _From, #state{worker = Worker, id = Id} = State) ->
    case ssl_port_worker:set_owner(Worker, Id, Owner) of
        ok ->
            _ = erlang:demonitor(State#state.owner_monitor, [flush]),
            {reply, ok, State#state{owner = Owner,
                                    owner_monitor = erlang:monitor(process, Owner)}};
        {error, closed} ->
            {reply, {error, closed}, State}
    end;
handle_call(about, _From, #state{socket = Socket, owner = Owner, since = Since} = State) ->
    {reply, #{socket => Socket, owner => Owner,
              age => erlang:monotonic_time(millisecond) - Since}, State};
handle_call(funs, _From, #state{funs = Funs} = State) ->
    {reply, Funs, State};
handle_call({add_funs, New}, _From, #state{funs = Funs} = State) ->
    {reply, ok, State#state{funs = maps:merge(Funs, New)}};
handle_call(_Request, _From, State) ->
    {reply, {error, badarg}, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}} | {stop, normal, #state{}}.
handle_cast(stop, State) ->
    leave(State);
handle_cast(resume, #state{tunnel = Tunnel} = State) when is_tuple(Tunnel) ->
    {noreply, State#state{tunnel = ssl_port_tunnel:resume(Tunnel)}};
handle_cast({unlock, Pid}, #state{sender = {Pid, Monitor}} = State) ->
    _ = erlang:demonitor(Monitor, [flush]),
    {noreply, grant(State#state{sender = undefined})};
handle_cast(_Message, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}} | {stop, normal, #state{}}.
handle_info(gone, State) ->
    {stop, normal, State};
handle_info({'DOWN', Monitor, process, _, _}, #state{owner_monitor = Monitor} = State) ->
    leave(State);
handle_info({'DOWN', Monitor, process, _, _}, #state{worker_monitor = Monitor} = State) ->
    #state{owner = Owner, socket = Socket, atomics = Atomics} = State,
    notify_closed(Owner, Socket, Atomics),
    {stop, normal, State};
handle_info({'DOWN', Monitor, process, _, _}, #state{sender = {_, Monitor}} = State) ->
    {noreply, grant(State#state{sender = undefined})};
handle_info({question, QuestionId, Question}, State) ->
    #state{id = Id, port = Port, funs = Funs} = State,
    ok = ssl_port_questions:ask(Id, Port, QuestionId, Question, Funs),
    {noreply, State};
handle_info({key_log, Index, Info}, #state{funs = Funs, key_log = Heard} = State) ->
    case Funs of
        #{Index := {function, Fun, _}} -> {noreply, State#state{key_log = ssl_port_key_log:tell(Heard, Fun, Info)}};
        #{} -> {noreply, State}
    end;
handle_info({log, Level, Text}, State) ->
    ssl_port_format:log(Level, Text),
    {noreply, State};
handle_info(tunnel_close, State) ->
    {noreply, closed_below(State)};
handle_info(goodbye_timeout, State) ->
    {stop, normal, State};
handle_info({tunnel_ack, Bytes}, #state{tunnel = Tunnel} = State) when is_tuple(Tunnel) ->
    {noreply, State#state{tunnel = ssl_port_tunnel:taken(Bytes, Tunnel)}};
handle_info(Message, #state{tunnel = Tunnel} = State) when is_tuple(Tunnel) ->
    case ssl_port_tunnel:message(Message, Tunnel) of
        {ok, New} -> {noreply, State#state{tunnel = New}};
        ignored -> {noreply, State}
    end;
handle_info(_Message, State) ->
    {noreply, State}.

-spec terminate(term(), #state{}) -> ok.
terminate(_Reason, State) ->
    _ = closed_below(State),
    ok.

%% The socket below.

attached({Module, _, _, _, _} = Info, Below, Early,
         #state{id = Id, port = Port, atomics = Atomics, worker = Worker, socket = Old} = State) ->
    {Socket, Below1, Sender} =
        case Old of
            ?LISTENER(_, _, _, _, _) ->
                {?LISTENER_ON(Info, Below, Id, Atomics, Port, self(), Worker),
                 {listener, Module, Below}, undefined};
            ?CONNECTION(_, _, _, _, _) ->
                Tunnel = ssl_port_tunnel:open(Id, Port, Info, Below, Early),
                {?CONNECTION_ON(Module, Below, Id, Atomics, Port, self(), Worker),
                 Tunnel, ssl_port_tunnel:sender(Tunnel)}
        end,
    ok = ssl_port_worker:set_transport(Worker, Id, Socket, Sender),
    {reply, {ok, Socket}, State#state{socket = Socket, tunnel = Below1}}.

closed_below(#state{tunnel = {listener, Module, Below}} = State) ->
    ok = ssl_port_transport:close(Module, Below),
    State#state{tunnel = down};
closed_below(#state{tunnel = Tunnel} = State) when is_tuple(Tunnel) ->
    ok = ssl_port_tunnel:close(Tunnel),
    State#state{tunnel = down};
closed_below(State) ->
    State.

%% The last words of a connection over a tunnel need this process: it stays until the program
%% has forgotten the connection.
leave(#state{leaving = true} = State) ->
    {noreply, State};
leave(#state{tunnel = Tunnel, id = Id, port = Port} = State)
  when is_tuple(Tunnel), element(1, Tunnel) =/= listener ->
    try erlang:port_command(Port, ssl_port_protocol:release(Id)) of
        true ->
            _ = erlang:send_after(?GOODBYE, self(), goodbye_timeout),
            {noreply, State#state{leaving = true}}
    catch
        error:badarg -> {stop, normal, State}
    end;
leave(State) ->
    {stop, normal, State}.

%% Turns of senders.

grant(#state{sender = undefined, waiting = Waiting, atomics = Atomics} = State) ->
    case queue:out(Waiting) of
        {{value, {Pid, _} = From}, Rest} ->
            atomics:put(Atomics, ?SLOT_LOCKED, 1),
            gen_server:reply(From, ok),
            State#state{sender = {Pid, erlang:monitor(process, Pid)}, waiting = Rest};
        {empty, _} ->
            atomics:put(Atomics, ?SLOT_LOCKED, 0),
            State
    end;
grant(State) ->
    State.
