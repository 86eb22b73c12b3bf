%%% @doc Following handshakes, and why something was not chosen in one.
%%%
%%% The calls are {@link ssl_port:trace/2} and {@link ssl_port:explain/1}; here stands what they bring, and
%%% how it is written as text. Nothing of it is ever secret: neither keys nor what they are derived from,
%%% and of tickets, signatures and Finished only the length.
%%%
%%% A <em>step</em> is a map:
%%%
%%% <dl>
%%% <dt>`time'</dt><dd>microseconds since this connection's trace began</dd>
%%% <dt>`direction'</dt><dd>`sent', `received' or `local'</dd>
%%% <dt>`kind', `name'</dt><dd>`handshake' with the name of the message, `alert' with that of the alert,
%%% `change_cipher_spec', `keys' (new ones are in use in this direction), `decision' with what was chosen,
%%% `question' (the handshake waits for a fun), `untold' (what went on could not be told), `established', `renegotiated', `closed'</dd>
%%% <dt>`fields'</dt><dd>a list of `{Name, Value}', in the order of the wire</dd>
%%% <dt>`connection', `socket'</dt><dd>which connection it is about</dd>
%%% </dl>
%%% @end
-module(ssl_port_trace).

%% For ssl_port.
-export([trace/2]).
-export([explain/1]).
-export([explain/2]).

%% Text.
-export([format/1]).
-export([reason/1]).

-export_type([target/0, options/0, step/0, tracer/0]).
-export_type([subject/0, explanation/0, verdict/0]).

-include("ssl_port.hrl").

-type tracer() :: pid().
%% A trace that goes on: a process.

-type target() :: ssl_port:sslsocket() | all | tracer().
%% A connection, a listener (the connections to come of it), or all connections to come.

-type options() :: #{to => pid() | group_leader | fun((step() | binary()) -> term()),
                     format => text | terms,
                     count => pos_integer(),
                     role => client | server | any,
                     time => timeout()}.

-type step() :: #{time := non_neg_integer(),
                  direction := sent | received | local,
                  kind := atom(), name := atom(), fields := [{atom(), term()}],
                  connection := pos_integer(), socket := ssl_port:sslsocket() | undefined}
              | #{dropped := pos_integer()}.

-type subject() :: version | cipher_suite | group | signature_scheme | certificate.

-type explanation() :: #{role := client | server, atom() => term()}.
%% Each choice by its name: a map with `chosen', `own', `peer' and `passed_over', a list of
%% `{Candidate, Reason}'. After a failure `failure', with the reason that the caller got.

-type verdict() :: #{role := client | server, subject := subject(), candidate := term(),
                     chosen := term(), reason := atom(), atom() => term()}.
%% `reason' is `chosen' where the candidate was; {@link reason/1} says it in words.

%% Steps that may wait for a tracer, or messages for its receiver; what comes beyond is counted.
-define(MOST_WAITING, 10000).
-define(PATIENCE, 5000).

-record(state, {
          alias :: reference() | pid(),
          to :: pid() | group_leader | fun((term()) -> term()),
          leader :: pid(),
          format :: text | terms,
          %% Connections that may still begin.
          left :: non_neg_integer(),
          %% Those that have begun, until they are closed.
          live = #{} :: #{{pid(), pos_integer()} => true},
          receiver :: reference(),
          watched :: [reference()],
          dropped = 0 :: non_neg_integer()
         }).

%% Traces.

-spec trace(target(), off | options()) -> {ok, tracer()} | ok | {error, term()}.
trace(Tracer, off) when is_pid(Tracer) ->
    Monitor = erlang:monitor(process, Tracer),
    Tracer ! {stop, off},
    receive {'DOWN', Monitor, process, _, _} -> ok end;
trace(Target, off) ->
    lists:foreach(
      fun({Worker, Port, Id}) ->
              case ssl_port_worker:call(Worker, Port, Id, {untrace, all}) of
                  {ok, Aliases} -> lists:foreach(fun(Alias) -> Alias ! {stop, off} end, Aliases);
                  {error, _} -> ok
              end
      end, places(Target));
trace(Target, Options) when is_map(Options) ->
    case maps:fold(fun check/3, defaults(Options), Options) of
        {error, _} = Error -> Error;
        Checked -> start(Target, Checked)
    end.

defaults(Options) ->
    Format = case Options of
                 #{to := To} when To =/= group_leader -> terms;
                 #{} -> text
             end,
    #{to => group_leader, format => Format, count => 1, role => any, time => infinity}.

check(_Name, _Value, {error, _} = Error) -> Error;
check(to, group_leader, Checked) -> Checked#{to := group_leader};
check(to, To, Checked) when is_pid(To); is_function(To, 1) -> Checked#{to := To};
check(format, Format, Checked) when Format =:= text; Format =:= terms -> Checked#{format := Format};
check(count, N, Checked) when is_integer(N), N > 0, N =< 16#7fffffff -> Checked#{count := N};
check(role, Role, Checked) when Role =:= client; Role =:= server; Role =:= any ->
    Checked#{role := Role};
check(time, infinity, Checked) -> Checked;
check(time, Time, Checked) when is_integer(Time), Time >= 0, Time =< 16#ffffffff ->
    Checked#{time := Time};
check(Name, Value, _Checked) -> {error, {options, {Name, Value}}}.

%% Where the program is to be asked: Id 0 stands for all of a worker.
places(all) ->
    [{Worker, Port, 0} || {_, Worker, Port, _} <- ssl_port_worker:all()];
places(?CONNECTION(Id, _, Port, _, Worker)) ->
    [{Worker, Port, Id}];
places(?LISTENER(Id, _, Port, _, Worker)) ->
    [{Worker, Port, Id}].

start(Target, #{count := Count, role := Role} = Options) ->
    case places(Target) of
        [] ->
            {error, ssl_not_started};
        Places ->
            Caller = self(),
            Leader = group_leader(),
            {Pid, Monitor} =
                spawn_monitor(fun() -> init(Caller, Leader, Target, Places, Options) end),
            receive
                {Pid, Alias} ->
                    _ = erlang:demonitor(Monitor, [flush]),
                    begin_all(Pid, Places, {trace, Alias, Count, Role});
                {'DOWN', Monitor, process, Pid, Reason} ->
                    {error, Reason}
            end
    end.

begin_all(Pid, Places, Call) ->
    Results = [ssl_port_worker:call(Worker, Port, Id, Call) || {Worker, Port, Id} <- Places],
    case [Error || {error, _} = Error <- Results] of
        [] -> {ok, Pid};
        [Error | _] -> Pid ! {stop, failed}, Error
    end.

init(Caller, Leader, Target, Places, #{to := To, format := Format, count := Count, time := Time}) ->
    Alias = address(),
    Receiver = case To of
                   _ when is_pid(To) -> To;
                   group_leader -> Leader;
                   _ -> Caller
               end,
    Self = self(),
    %% Whatever ends this process, the program stops telling.
    _ = spawn(fun() -> guard(Self, Alias, [{Worker, Port} || {Worker, Port, _} <- Places]) end),
    _ = [erlang:send_after(Time, Self, {stop, time}) || Time =/= infinity],
    Watched = [erlang:monitor(process, Pid) || Pid <- watched(Target, Places)],
    Caller ! {Self, Alias},
    loop(#state{alias = Alias, to = To, leader = Leader, format = Format,
                left = left(Target, Count), receiver = erlang:monitor(process, Receiver),
                watched = Watched}).

%% What the program's steps go to; before OTP 24 they may come when the tracer is gone, to nobody.
-if(?OTP_RELEASE >= 24).
address() -> erlang:alias().
-else.
address() -> self().
-endif.

%% Without whom nothing more can come.
watched(?CONNECTION(_, _, _, Connection, _), _Places) -> [Connection];
watched(?LISTENER(_, _, _, Connection, _), _Places) -> [Connection];
watched(all, Places) -> [Worker || {Worker, _, _} <- Places].

left(?CONNECTION(_, _, _, _, _), _Count) -> 1;
left(_, Count) -> Count.

guard(Tracer, Alias, Workers) ->
    Monitor = erlang:monitor(process, Tracer),
    receive {'DOWN', Monitor, process, _, _} -> ok end,
    lists:foreach(fun({Worker, Port}) ->
                          ssl_port_worker:call(Worker, Port, 0, {untrace, Alias})
                  end, lists:usort(Workers)).

loop(#state{receiver = Receiver, watched = Watched} = State) ->
    receive
        {step, Worker, Id, Socket, Step} ->
            step(Worker, Id, Socket, Step, State);
        {stop, Why} ->
            done(Why, State);
        {'DOWN', Receiver, process, _, _} ->
            ok;
        {'DOWN', Monitor, process, _, _} ->
            %% What it said last is in the mailbox already.
            last(Watched -- [Monitor], State);
        _ ->
            loop(State)
    end.

last([], State) ->
    receive
        {step, _, _, _, Step} = Told when is_map(Step) ->
            {step, Worker, Id, Socket, _} = Told,
            last([], note(Worker, Id, Step, tell(Id, Socket, Step, State)))
    after 0 ->
        done(closed, State)
    end;
last(Watched, State) ->
    loop(State#state{watched = Watched}).

%% Each worker follows as many as were asked for: those beyond are not told.
step(Worker, Id, _Socket, _Step, #state{left = 0, live = Live} = State)
  when not is_map_key({Worker, Id}, Live) ->
    loop(State);
step(Worker, Id, Socket, Step, State) ->
    case note(Worker, Id, Step, tell(Id, Socket, Step, State)) of
        #state{left = 0, live = Live} = Last when map_size(Live) =:= 0 -> done(done, Last);
        Next -> loop(Next)
    end.

note(Worker, Id, #{kind := closed}, #state{live = Live} = State) ->
    case Live of
        #{{Worker, Id} := true} -> State#state{live = maps:remove({Worker, Id}, Live)};
        #{} -> State
    end;
note(Worker, Id, _Step, #state{live = Live, left = Left} = State) ->
    case Live of
        #{{Worker, Id} := true} -> State;
        #{} -> State#state{live = Live#{{Worker, Id} => true}, left = max(0, Left - 1)}
    end.

%% A receiver that is slower than the handshakes does not get all of them; it hears how many.
tell(Id, Socket, Step, #state{dropped = Dropped} = State) ->
    case is_behind(State) of
        true ->
            State#state{dropped = Dropped + maps:get(dropped, Step, 1)};
        false ->
            _ = [hand(#{dropped => Dropped}, State) || Dropped > 0],
            hand(about(Id, Socket, Step), State),
            State#state{dropped = 0}
    end.

about(Id, Socket, #{kind := _} = Step) -> Step#{connection => Id, socket => Socket};
about(_Id, _Socket, Step) -> Step.

is_behind(#state{to = To}) when is_pid(To), node(To) =:= node() ->
    waiting(To) > ?MOST_WAITING orelse waiting(self()) > ?MOST_WAITING;
is_behind(_State) ->
    waiting(self()) > ?MOST_WAITING.

waiting(Pid) ->
    case erlang:process_info(Pid, message_queue_len) of
        {message_queue_len, Length} -> Length;
        undefined -> 0
    end.

hand(Step, #state{format = text} = State) ->
    give(unicode:characters_to_binary(format(Step)), State);
hand(Step, State) ->
    give(Step, State).

give(Term, #state{to = To}) when is_pid(To) -> To ! {ssl_port_trace, self(), Term};
give(Term, #state{to = group_leader, leader = Leader}) when is_binary(Term) ->
    io:put_chars(Leader, Term);
give(Term, #state{to = group_leader, leader = Leader}) -> io:format(Leader, "~tp~n", [Term]);
give(Term, #state{to = To}) -> To(Term).

done(Why, #state{to = To}) when is_pid(To) -> To ! {ssl_port_trace, self(), {done, Why}}, ok;
done(_Why, _State) -> ok.

%% Explaining.

-spec explain(ssl_port:sslsocket() | {error, term()}) -> {ok, explanation()} | {error, term()}.
explain(Target) ->
    explain(Target, all).

-spec explain(ssl_port:sslsocket() | {error, term()}, all | {subject(), term()}) ->
          {ok, explanation() | verdict()} | {error, term()}.
explain(Target, What) ->
    case what(What) of
        {ok, Asked} -> explain_to(Target, Asked);
        Error -> Error
    end.

explain_to({error, Reason}, Asked) ->
    failure(fun(#{reason := Told}) -> Told =:= Reason end, ssl_port_worker:all(), Asked);
explain_to(?CONNECTION(Id, _, Port, _, Worker), Asked) ->
    case ssl_port_worker:call(Worker, Port, Id, {explain, Asked}) of
        {error, closed} ->
            %% A server's connection whose handshake has failed is gone.
            Workers = [Entry || {_, Pid, _, _} = Entry <- ssl_port_worker:all(), Pid =:= Worker],
            case failure(fun(#{id := Failed}) -> Failed =:= Id end, Workers, Asked) of
                {error, unknown} -> {error, closed};
                Found -> Found
            end;
        Result ->
            Result
    end;
explain_to(?LISTENER(_, _, _, _, _), _Asked) ->
    {error, enotconn}.

failure(Is, Workers, Asked) ->
    Failures = lists:append([failures(Worker, Asked) || Worker <- Workers]),
    Newest = lists:sort(fun(#{at := A}, #{at := B}) -> A >= B end, lists:filter(Is, Failures)),
    case Newest of
        [#{explanation := Explanation} = Failure | _] ->
            {ok, Explanation#{failure => maps:with([reason, peer, at], Failure)}};
        [] ->
            {error, unknown}
    end.

failures({_, Worker, Port, _}, Asked) ->
    case ssl_port_worker:call(Worker, Port, 0, {failures, Asked}, ?PATIENCE) of
        {ok, Failures} -> Failures;
        {error, _} -> []
    end.

what(all) -> {ok, all};
what({suite, Suite}) -> what({cipher_suite, Suite});
what({cipher_suite, Suite}) ->
    case suite(Suite) of
        {ok, Name} -> {ok, {cipher_suite, Name}};
        error -> {error, {unknown, Suite}}
    end;
what({Subject, Candidate})
  when (Subject =:= version orelse Subject =:= group orelse Subject =:= signature_scheme),
       is_atom(Candidate) ->
    {ok, {Subject, Candidate}};
what({certificate, Certificate}) when is_integer(Certificate); is_binary(Certificate) ->
    {ok, {certificate, Certificate}};
what(What) ->
    {error, {options, What}}.

%% The RFC's name of a suite that is named by the RFC, by OpenSSL or as `ssl' describes it.
suite(Name) when is_binary(Name) -> suite(unicode:characters_to_list(Name));
suite(Name) when is_list(Name) ->
    case ssl_port_ciphers:str_to_suite(Name) of
        {error, _} -> error;
        Suite -> {ok, ssl_port_ciphers:suite_to_str(Suite)}
    end;
suite(Suite) when is_map(Suite) ->
    try {ok, ssl_port_ciphers:suite_to_str(Suite)} catch error:_ -> error end;
suite(_) -> error.

%% Text.

%% @doc A step, an explanation or a verdict as lines of text.
-spec format(step() | explanation() | verdict()) -> iodata().
format(Term) ->
    ssl_port_trace_text:format(Term).

%% @doc Why something was not chosen, in words.
-spec reason(atom()) -> string().
reason(Reason) ->
    ssl_port_trace_text:reason(Reason).
