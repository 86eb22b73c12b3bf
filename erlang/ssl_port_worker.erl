%%% @private
%%% Owns one port program (ssl_port_launch starts it) and routes what comes from it: replies to the caller's alias,
%%% data and events to the owner, questions and log lines to the connection process.
%%% Callers write to the port themselves; nothing here waits for anybody.
-module(ssl_port_worker).
-behaviour(gen_server).

%% Supervisor.
-export([start_link/2]).

%% The pool, and calls from any process.
-export([pick/0]).
-export([all/0]).
-export([worker/1]).
-export([call/4]).
-export([call/5]).
-export([call_all/1]).

%% Connection process.
-export([register_route/5]).
-export([set_owner/3]).
-export([set_transport/4]).

%% gen_server.
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).
-export([terminate/2]).

-export_type([pool_entry/0]).

-include("ssl_port.hrl").
-include_lib("kernel/include/logger.hrl").

-type pool_entry() :: {Index :: pos_integer(), Worker :: pid(), Port :: port(),
                       Counters :: atomics:atomics_ref()}.

-record(route, {
          owner :: pid(),
          socket :: tuple(),
          atomics :: atomics:atomics_ref(),
          connection :: pid(),
          %% Who writes to the socket below, where that is the BEAM's.
          sender :: pid() | undefined,
          monitor :: reference()
         }).

-record(state, {
          index :: pos_integer(),
          port :: port(),
          counters :: atomics:atomics_ref(),
          routes = #{} :: #{ssl_port_protocol:id() => #route{}},
          %% Connection process to its Id, for its 'DOWN'.
          connections = #{} :: #{pid() => ssl_port_protocol:id()},
          %% Frames that the busy port did not take, newest first.
          unsent = [] :: [binary()],
          heard = true :: boolean(),
          missed = 0 :: non_neg_integer()
         }).

%% A program that says nothing at all for three heartbeats (30 s) is killed. Ticks are
%% counted rather than clock time, so that a suspended machine kills nobody on waking up.
-define(HEARTBEAT, 10000).
-define(MISSED_HEARTBEATS, 3).
-define(RETRY, 20).
%% How long the pool waits for a worker: as long as a program may take to say its first word.
-define(REPLACED, 10000).
-define(GRACE, 5000).

%% Supervisor.

-spec start_link(pos_integer(), ssl_port_launch:command()) -> {ok, pid()} | {error, term()} | ignore.
start_link(Index, Command) ->
    %% All payloads pass through this process by reference: neither its queue nor its old
    %% heap should keep them longer than they live elsewhere.
    gen_server:start_link(?MODULE, {Index, Command},
                          [{spawn_opt, [{message_queue_data, off_heap}, {fullsweep_after, 20}]}]).

%% The pool, and calls from any process.

%% The live worker with the fewest routes; any of those, when several have as few.
-spec pick() -> {ok, pool_entry()} | {error, ssl_not_started}.
pick() ->
    pick(?REPLACED div ?RETRY).

%% A call that concerns all workers. One that is not up has nothing to say to it.
-spec call_all(ssl_port_protocol:call()) -> ok.
call_all(Call) ->
    lists:foreach(fun({_, Worker, Port, _}) -> call(Worker, Port, 0, Call) end, all()).

%% The workers that are up; none without the application.
-spec all() -> [pool_entry()].
all() ->
    try live(lists:sort(ets:tab2list(?WORKERS))) catch error:badarg -> [] end.

%% While the only worker is being replaced there is none, for a moment.
pick(Tries) ->
    try live(ets:tab2list(?WORKERS)) of
        [] when Tries > 0 ->
            timer:sleep(?RETRY),
            pick(Tries - 1);
        [] -> {error, ssl_not_started};
        [Entry] -> {ok, Entry};
        Entries -> {ok, least(Entries)}
    catch
        error:badarg -> {error, ssl_not_started}
    end.

%% The row of a killed worker stays until its successor takes its place.
live(Entries) ->
    [Entry || {_, Worker, _, _} = Entry <- Entries, is_process_alive(Worker)].

least(Entries) ->
    [{_, _, Entry} | _] =
        lists:sort([{atomics:get(Counters, ?COUNTER_ROUTES), rand:uniform(), Entry}
                    || {_, _, _, Counters} = Entry <- Entries]),
    Entry.

%% The pool entry of a worker, as long as it lives.
-spec worker(pid()) -> {ok, pool_entry()} | {error, closed}.
worker(Pid) ->
    try ets:match_object(?WORKERS, {'_', Pid, '_', '_'}) of
        [Entry] -> {ok, Entry};
        [] -> {error, closed}
    catch
        error:badarg -> {error, closed}
    end.

%% Asks the program and waits for its answer, however long that takes.
-spec call(pid(), port(), ssl_port_protocol:id(), ssl_port_protocol:call()) -> term().
call(Worker, Port, Id, Call) ->
    {Monitor, To} = reply_to(Worker),
    wait(Port, Id, Call, Monitor, To, infinity).

%% As call/4, for a call with a timeout. The program keeps the time and its answer counts;
%% this side only stops waiting for a program that keeps no time at all. `keyed' calls
%% change what the atomics hold: the worker has to know whose.
-spec call(pid(), port(), ssl_port_protocol:id(), ssl_port_protocol:call(),
           timeout() | {keyed, timeout()}) -> term().
call(Worker, Port, Id, Call, {keyed, Timeout}) ->
    {Monitor, To} = reply_to(Worker),
    wait(Port, Id, Call, Monitor, {To, Id}, Timeout);
call(Worker, Port, Id, Call, Timeout) ->
    {Monitor, To} = reply_to(Worker),
    wait(Port, Id, Call, Monitor, To, Timeout).

wait(Port, Id, Call, Monitor, Tag, Timeout) ->
    case write(Port, ssl_port_protocol:request(Tag, Id, Call)) of
        ok ->
            receive
                {Monitor, Result} -> answered(Monitor), Result;
                {'DOWN', Monitor, process, _, _} -> {error, closed}
            after backstop(Timeout) ->
                give_up(Port, Id, Monitor, Tag)
            end;
        closed ->
            _ = erlang:demonitor(Monitor, [flush]),
            {error, closed}
    end.

%% The monitor of a call, and what the program is given to say whose its answer is. An alias where there are
%% such (OTP 24): an answer that comes too late is then nobody's, and one that comes ends the monitor.
-if(?OTP_RELEASE >= 24).
reply_to(Worker) ->
    Alias = erlang:monitor(process, Worker, [{alias, reply_demonitor}]),
    {Alias, Alias}.

answered(_Monitor) ->
    ok.
-else.
reply_to(Worker) ->
    Monitor = erlang:monitor(process, Worker),
    {Monitor, {self(), Monitor}}.

answered(Monitor) ->
    _ = erlang:demonitor(Monitor, [flush]),
    ok.
-endif.

answer({Pid, Monitor}, Result) ->
    Pid ! {Monitor, Result};
answer(Alias, Result) ->
    Alias ! {Alias, Result}.

backstop(infinity) -> infinity;
backstop(Timeout) -> min(Timeout + ?GRACE, 16#ffffffff).

give_up(Port, Id, Monitor, Tag) ->
    _ = erlang:demonitor(Monitor, [flush]),
    receive
        {Monitor, Result} -> Result
    after 0 ->
        _ = write(Port, ssl_port_protocol:cancel(Id, Tag)),
        {error, timeout}
    end.

write(Port, Frame) ->
    try erlang:port_command(Port, Frame) of
        true -> ok
    catch
        error:badarg -> closed
    end.

%% Connection process.

%% Asynchronous: whatever the program says about Id comes after the request for it, and
%% that after this message.
-spec register_route(pid(), ssl_port_protocol:id(), pid(), tuple(), atomics:atomics_ref()) -> ok.
register_route(Worker, Id, Owner, Socket, Atomics) ->
    Worker ! {register, Id, Owner, Socket, Atomics, self()},
    ok.

%% The socket below is the BEAM's, and Sender writes to it. Asynchronous like
%% register_route/5.
-spec set_transport(pid(), ssl_port_protocol:id(), tuple(), pid() | undefined) -> ok.
set_transport(Worker, Id, Socket, Sender) ->
    Worker ! {transport, Id, Socket, Sender},
    ok.

%% Once this returns, nothing more goes to the former owner.
-spec set_owner(pid(), ssl_port_protocol:id(), pid()) -> ok | {error, closed}.
set_owner(Worker, Id, Owner) ->
    try
        gen_server:call(Worker, {set_owner, Id, Owner}, infinity)
    catch
        exit:_ -> {error, closed}
    end.

%% gen_server.

-spec init({pos_integer(), ssl_port_launch:command()}) -> {ok, #state{}} | {stop, term()}.
init({Index, Command}) ->
    process_flag(trap_exit, true),
    case ssl_port_launch:start(Command) of
        {ok, Port} ->
            Counters = atomics:new(2, [{signed, false}]),
            true = ets:insert(?WORKERS, {Index, self(), Port, Counters}),
            _ = erlang:send_after(?HEARTBEAT, self(), heartbeat),
            {ok, #state{index = Index, port = Port, counters = Counters}};
        {error, Reason} ->
            {stop, {shutdown, Reason}}
    end.

-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, term(), #state{}}.
handle_call({set_owner, Id, Owner}, _From, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := Route} ->
            {reply, ok, State#state{routes = Routes#{Id := Route#route{owner = Owner}}}};
        #{} ->
            {reply, {error, closed}, State}
    end;
handle_call(_Request, _From, State) ->
    {reply, {error, badarg}, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Message, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}} | {stop, term(), #state{}}.
handle_info({Port, {data, Frame}}, #state{port = Port} = State) ->
    {noreply, route(ssl_port_protocol:decode(Frame), State#state{heard = true})};
handle_info({register, Id, Owner, Socket, Atomics, Connection}, State) ->
    #state{routes = Routes, connections = Connections, counters = Counters} = State,
    Route = #route{owner = Owner, socket = Socket, atomics = Atomics, connection = Connection,
                   monitor = erlang:monitor(process, Connection)},
    atomics:add(Counters, ?COUNTER_ROUTES, 1),
    {noreply, State#state{routes = Routes#{Id => Route},
                          connections = Connections#{Connection => Id}}};
handle_info({transport, Id, Socket, Sender}, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := Route} ->
            New = Route#route{socket = Socket, sender = Sender},
            {noreply, State#state{routes = Routes#{Id := New}}};
        #{} ->
            {noreply, State}
    end;
handle_info({'DOWN', _Monitor, process, Connection, _Reason}, State) ->
    #state{connections = Connections} = State,
    case Connections of
        #{Connection := Id} -> {noreply, abandoned(Id, State)};
        #{} -> {noreply, State}
    end;
handle_info(heartbeat, State) ->
    heartbeat(State);
handle_info(retry, #state{unsent = Unsent} = State) ->
    {noreply, lists:foldl(fun command/2, State#state{unsent = []}, lists:reverse(Unsent))};
handle_info({Port, {exit_status, Status}}, #state{port = Port} = State) ->
    ?LOG_ERROR("ssl_port: the port program ended with status ~p; its connections are closed",
               [Status]),
    {stop, {shutdown, {port_program, Status}}, State};
handle_info({'EXIT', Port, Reason}, #state{port = Port} = State) ->
    ?LOG_ERROR("ssl_port: the port program is gone (~p); its connections are closed",
               [Reason]),
    {stop, {shutdown, {port_program, Reason}}, State};
handle_info(_Message, State) ->
    {noreply, State}.

-spec terminate(term(), #state{}) -> ok.
terminate(Reason, #state{index = Index, port = Port, routes = Routes}) ->
    ets:match_delete(?WORKERS, {Index, self(), '_', '_'}),
    maps:foreach(fun(_Id, Route) -> closed(Route) end, Routes),
    case Reason of
        {shutdown, unresponsive} -> ssl_port_launch:kill(Port);
        _ -> ssl_port_launch:close(Port)
    end,
    ok.

%% Routing.

route({data_binary, Id, Data}, State) ->
    deliver(Id, Data, State);
route({ack, Id, Bytes}, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{atomics = Atomics}} -> atomics:sub(Atomics, ?SLOT_UNACKED, Bytes);
        #{} -> ok
    end,
    State;
route({tunnel, Id, Data}, State) ->
    to_sender(Id, {tunnel, Data}, State);
route({tunnel_end, Id}, State) ->
    to_sender(Id, tunnel_end, State);
route({tunnel_ack, Id, Bytes}, State) ->
    to_connection(Id, {tunnel_ack, Bytes}, State);
route({tunnel_close, Id}, State) ->
    to_connection(Id, tunnel_close, State);
route({recv_binary, Tag, Data}, State) ->
    _ = answer(Tag, {ok, Data}),
    State;
route({recv_list, Tag, Data}, State) ->
    %% The caller makes the list: one big copy less, and not in this process.
    _ = answer(Tag, {ok_list, Data}),
    State;
route({data_list, Id, Data}, State) ->
    deliver(Id, binary_to_list(Data), State);
route({message, Id, Term}, State) ->
    deliver(Id, Term, State);
route({notice, Id, Term}, State) ->
    tell(Id, fun(Socket) -> {ssl, Socket, Term} end, State);
route({ticket, Id, Ticket}, State) ->
    %% As in ssl, the message does not name the socket.
    tell(Id, fun(_Socket) -> {ssl, session_ticket, Ticket} end, State);
route({reply, {To, Id}, Result}, #state{routes = Routes} = State) when is_integer(Id) ->
    case Routes of
        #{Id := #route{atomics = Atomics}} -> note(Atomics, Result);
        #{} -> ok
    end,
    _ = answer(To, Result),
    State;
route({reply, ping, _Result}, State) ->
    State;
route({reply, To, Result}, State) when is_reference(To); is_tuple(To) ->
    _ = answer(To, Result),
    State;
route({passive, Id}, State) ->
    event(Id, ssl_passive, State);
route({closed, Id}, State) ->
    event(Id, ssl_closed, State);
route({error, Id, Reason}, State) ->
    event(Id, {ssl_error, Reason}, State);
route({send_failed, Id}, #state{routes = Routes} = State) ->
    %% Before the handshake nothing is sent; what its failure means is the caller's to say,
    %% who lets the connection go.
    _ = case Routes of
            #{Id := #route{atomics = Atomics}} ->
                atomics:compare_exchange(Atomics, ?SLOT_STATE, ?STATE_OPEN, ?STATE_FAILED);
            #{} ->
                ok
        end,
    State;
route({gone, Id}, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{connection = Connection, atomics = Atomics} = Route} ->
            atomics:put(Atomics, ?SLOT_STATE, ?STATE_FAILED),
            Connection ! gone,
            forget(Id, Route, State);
        #{} ->
            State
    end;
route({question, Id, QuestionId, Question}, State) ->
    to_connection(Id, {question, QuestionId, Question}, State);
route({key_log, Id, Fun, Info}, State) ->
    to_connection(Id, {key_log, Fun, Info}, State);
route({log, Id, Level, Text}, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{connection = Connection}} ->
            Connection ! {log, Level, Text},
            State;
        #{} ->
            ssl_port_format:log(Level, Text),
            State
    end;
route({trace, Tracer, Id, Step}, #state{routes = Routes} = State) ->
    %% (An alias: nobody hears it once the tracer is gone.)
    Socket = case Routes of
                 #{Id := #route{socket = Known}} -> Known;
                 #{} -> undefined
             end,
    Tracer ! {step, self(), Id, Socket, Step},
    State;
route({undecodable_reply, Tag}, State) ->
    ?LOG_ERROR("ssl_port: the port program sent a reply that does not decode"),
    route({reply, Tag, {error, {ssl_port, undecodable_reply}}}, State);
route({undecodable, Frame}, State) ->
    ?LOG_ERROR("ssl_port: the port program sent a frame that does not decode (~b bytes)",
               [byte_size(Frame)]),
    State;
route(_Unasked, State) ->
    State.

deliver(Id, Data, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{owner = Owner, socket = Socket, atomics = Atomics}} ->
            Owner ! {ssl, Socket, Data},
            _ = atomics:compare_exchange(Atomics, ?SLOT_ACTIVE, ?ACTIVE_ONCE, ?ACTIVE_FALSE),
            State;
        #{} ->
            State
    end.

to_connection(Id, Message, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{connection = Connection}} ->
            Connection ! Message,
            State;
        #{} ->
            State
    end.

to_sender(Id, Message, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{sender = Sender}} when is_pid(Sender) ->
            Sender ! Message,
            State;
        #{} ->
            State
    end.

%% What does not count as data.
tell(Id, Message, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{owner = Owner, socket = Socket}} ->
            Owner ! Message(Socket),
            State;
        #{} ->
            State
    end.

event(Id, Event, #state{routes = Routes} = State) ->
    case Routes of
        #{Id := #route{owner = Owner, socket = Socket, atomics = Atomics}} ->
            atomics:put(Atomics, ?SLOT_ACTIVE, ?ACTIVE_FALSE),
            Owner ! message(Event, Socket),
            State;
        #{} ->
            State
    end.

message({ssl_error, Reason}, Socket) -> {ssl_error, Socket, Reason};
message(Event, Socket) -> {Event, Socket}.

%% A reply that brings a connection up, or changes how it delivers.
note(Atomics, {ok, Active, PacketHeader}) ->
    atomics:put(Atomics, ?SLOT_ACTIVE, active(Active)),
    atomics:put(Atomics, ?SLOT_HEADER, PacketHeader),
    _ = atomics:compare_exchange(Atomics, ?SLOT_STATE, ?STATE_NEW, ?STATE_OPEN),
    ok;
note(_Atomics, _Result) ->
    ok.

active(false) -> ?ACTIVE_FALSE;
active(once) -> ?ACTIVE_ONCE;
active(_) -> ?ACTIVE_TRUE.

%% The connection process is gone and the program still holds Id: its owner died, it
%% gave up making it, or it crashed.
abandoned(Id, #state{routes = Routes} = State) ->
    #{Id := Route} = Routes,
    %% In this order: what the owner asks next comes after the release.
    Released = command(ssl_port_protocol:release(Id), forget(Id, Route, State)),
    closed(Route),
    Released.

forget(Id, #route{connection = Connection, monitor = Monitor}, State) ->
    #state{routes = Routes, connections = Connections, counters = Counters} = State,
    _ = erlang:demonitor(Monitor, [flush]),
    atomics:sub(Counters, ?COUNTER_ROUTES, 1),
    State#state{routes = maps:remove(Id, Routes),
                connections = maps:remove(Connection, Connections)}.

%% An active owner hears of the end, once: whoever clears the slot tells it.
closed(#route{owner = Owner, socket = Socket, atomics = Atomics}) ->
    ssl_port_connection:notify_closed(Owner, Socket, Atomics).

%% Writing to the port from here must not suspend: a program that reads nothing could then
%% never be killed.
command(Frame, #state{port = Port, unsent = []} = State) ->
    try erlang:port_command(Port, Frame, [nosuspend]) of
        true -> State;
        false -> retry(Frame, State)
    catch
        error:badarg -> State
    end;
command(Frame, #state{unsent = Unsent} = State) ->
    State#state{unsent = [Frame | Unsent]}.

retry(Frame, State) ->
    _ = erlang:send_after(?RETRY, self(), retry),
    State#state{unsent = [Frame]}.

heartbeat(#state{heard = false, missed = Missed} = State) when Missed + 1 >= ?MISSED_HEARTBEATS ->
    ?LOG_ERROR("ssl_port: the port program does not answer; it is killed, its connections "
               "are closed"),
    {stop, {shutdown, unresponsive}, State};
heartbeat(#state{heard = Heard, missed = Missed} = State) ->
    _ = erlang:send_after(?HEARTBEAT, self(), heartbeat),
    _ = erlang:garbage_collect(),
    Pinged = command(ssl_port_protocol:request(ping, 0, ping), State),
    {noreply, Pinged#state{heard = false,
                           missed = case Heard of true -> 0; false -> Missed + 1 end}}.
