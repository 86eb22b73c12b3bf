%%% @doc What the port programs have done and what they hold, in numbers.
%%%
%%% Counts only grow, for as long as a worker lives; the rest is as it stands at the moment.
%%% They are kept by the workers and asked for by a call: nobody who does not ask pays for
%%% them. Names of `counters/0':
%%%
%%% <dl>
%%% <dt>`handshakes_client', `handshakes_server'</dt><dd>handshakes done</dd>
%%% <dt>`handshakes_failed'</dt><dd>connections that ended before that</dd>
%%% <dt>`resumptions', `renegotiations'</dt><dd>handshakes that took up a session; those on a
%%% connection that was up</dd>
%%% <dt>`alerts_sent', `alerts_received'</dt><dd>a map from the alert's name to its count</dd>
%%% <dt>`bytes_sent', `bytes_received'</dt><dd>plaintext</dd>
%%% <dt>`connections', `listeners', `calls'</dt><dd>held now; `calls' wait for an answer</dd>
%%% <dt>`output_queue', `input_queue', `message_queue'</dt><dd>bytes that wait for the BEAM,
%%% bytes that wait for the program, messages that wait for the worker's process</dd>
%%% <dt>`memory', `memory_heap', `memory_external'</dt><dd>bytes of the program</dd>
%%% </dl>
%%% @end
-module(ssl_port_metrics).

-export([counters/0]).
-export([workers/0]).
-export([emit/0]).

-export_type([counters/0]).
-export_type([worker/0]).

-type counters() :: #{atom() => non_neg_integer() | #{atom() => non_neg_integer()}}.
-type worker() :: #{worker := pos_integer(), pid := pid(), os_pid := pos_integer() | undefined,
                    counters := counters()}.

%% @doc The sum over all workers.
-spec counters() -> counters().
counters() ->
    lists:foldl(fun(#{counters := Counters}, Sum) -> add(Counters, Sum) end, #{}, workers()).

add(Counters, Sum) ->
    maps:fold(fun(Name, Value, Acc) ->
                      case Acc of
                          #{Name := Old} when is_map(Old) -> Acc#{Name := add(Value, Old)};
                          #{Name := Old} -> Acc#{Name := Old + Value};
                          #{} -> Acc#{Name => Value}
                      end
              end, Sum, Counters).

%% @doc Each worker by itself. One that does not answer within five seconds is left out.
-spec workers() -> [worker()].
workers() ->
    lists:flatmap(fun worker/1, ssl_port_worker:all()).

worker({Index, Pid, Port, _}) ->
    case ssl_port_worker:call(Pid, Port, 0, metrics, 0) of
        {ok, Counters} ->
            [#{worker => Index, pid => Pid, os_pid => of_port(Port, os_pid),
               counters => Counters#{message_queue => queue_length(Pid),
                                     input_queue => of_port(Port, queue_size)}}];
        {error, _} ->
            []
    end.

of_port(Port, Item) ->
    case erlang:port_info(Port, Item) of
        {Item, Value} -> Value;
        undefined when Item =:= queue_size -> 0;
        undefined -> undefined
    end.

queue_length(Pid) ->
    case erlang:process_info(Pid, message_queue_len) of
        {message_queue_len, Length} -> Length;
        undefined -> 0
    end.

%% @doc Hands the counters of each worker to `telemetry', as the event `[ssl_port, worker]'
%% with the metadata `#{worker => Index, pid => Pid, os_pid => OsPid}'; alerts as the event
%% `[ssl_port, alert]' with `#{count => N}' and
%% `#{worker => Index, direction => sent | received, alert => Name}'. Made for
%% `telemetry_poller', as the measurement `{ssl_port_metrics, emit, []}'. Without `telemetry'
%% nothing happens.
-spec emit() -> ok.
emit() ->
    case code:ensure_loaded(telemetry) of
        {module, _} -> lists:foreach(fun emit/1, workers());
        {error, _} -> ok
    end.

emit(#{worker := Index, counters := Counters} = Worker) ->
    Numbers = maps:filter(fun(_Name, Value) -> is_integer(Value) end, Counters),
    execute([ssl_port, worker], Numbers, maps:remove(counters, Worker)),
    _ = [execute([ssl_port, alert], #{count => Count},
                 #{worker => Index, direction => Direction, alert => Alert})
         || {Name, Direction} <- [{alerts_sent, sent}, {alerts_received, received}],
            {Alert, Count} <- maps:to_list(maps:get(Name, Counters))],
    ok.

%% (Through a variable: `telemetry' is no dependency.)
execute(Event, Measurements, Metadata) ->
    Module = telemetry,
    Module:execute(Event, Measurements, Metadata).
