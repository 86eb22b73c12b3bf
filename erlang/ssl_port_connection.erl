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

%% gen_server.
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).

-export_type([args/0]).

-include("ssl_port.hrl").

-type args() :: #{kind := connection | listener,
                  id := ssl_port_protocol:id(),
                  owner := pid(),
                  worker := pid(),
                  port := port(),
                  atomics := atomics:atomics_ref(),
                  funs := ssl_port_questions:funs()}.

-record(state, {
          id :: ssl_port_protocol:id(),
          owner :: pid(),
          owner_monitor :: reference(),
          worker :: pid(),
          worker_monitor :: reference(),
          port :: port(),
          socket :: tuple(),
          atomics :: atomics:atomics_ref(),
          funs :: ssl_port_questions:funs(),
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
    {ok, #state{id = Id, owner = Owner, owner_monitor = erlang:monitor(process, Owner),
                worker = Worker, worker_monitor = erlang:monitor(process, Worker),
                port = Port, socket = Socket, atomics = Atomics, funs = Funs}}.

socket(connection, Id, Atomics, Port, Worker) -> ?CONNECTION(Id, Atomics, Port, self(), Worker);
socket(listener, Id, Atomics, Port, Worker) -> ?LISTENER(Id, Atomics, Port, self(), Worker).

-spec handle_call(term(), gen_server:from(), #state{}) ->
          {reply, term(), #state{}} | {noreply, #state{}}.
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
handle_call(funs, _From, #state{funs = Funs} = State) ->
    {reply, Funs, State};
handle_call({add_funs, New}, _From, #state{funs = Funs} = State) ->
    {reply, ok, State#state{funs = maps:merge(Funs, New)}};
handle_call(_Request, _From, State) ->
    {reply, {error, badarg}, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}} | {stop, normal, #state{}}.
handle_cast(stop, State) ->
    {stop, normal, State};
handle_cast({unlock, Pid}, #state{sender = {Pid, Monitor}} = State) ->
    _ = erlang:demonitor(Monitor, [flush]),
    {noreply, grant(State#state{sender = undefined})};
handle_cast(_Message, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}} | {stop, normal, #state{}}.
handle_info(gone, State) ->
    {stop, normal, State};
handle_info({'DOWN', Monitor, process, _, _}, #state{owner_monitor = Monitor} = State) ->
    {stop, normal, State};
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
handle_info({log, Level, Text}, State) ->
    ssl_port_format:log(Level, Text),
    {noreply, State};
handle_info(_Message, State) ->
    {noreply, State}.

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
