%% A transport for the option `cb_info' whose sockets are processes, two and two in one
%% node. The option {pipe, #{listener, seed, largest, slow, cut}} of a connect shapes what
%% both ends get: pieces of 1 to `largest' bytes, one in `slow' of them a millisecond late
%% (0: none), and after `cut' bytes both ways together the end (infinity: none).
-module(ssl_port_pid_transport).

-export([info/0, listen/2, accept/2, connect/4, send/2, close/1, shutdown/2,
         controlling_process/2, setopts/2, getopts/2, getstat/2, peername/1, sockname/1, port/1]).

-record(end_, {owner, peer, left, largest, slow, active = false, queue = <<>>, closed = false,
               due = false, received = 0}).

info() -> {?MODULE, pipe, pipe_closed, pipe_error}.

listen(_Port, _Options) ->
    Owner = self(),
    {ok, spawn(fun() -> monitor(process, Owner), listener([], []) end)}.

listener(Ready, Waiting) ->
    case {Ready, Waiting} of
        {[Pid | Pids], [{From, Tag} | Rest]} ->
            %% Whoever waits no more has left its monitor.
            Pid ! {give, From, Tag},
            listener(Pids, Rest);
        _ ->
            receive
                {call, From, Tag, accept} -> listener(Ready, Waiting ++ [{From, Tag}]);
                {call, From, Tag, {connected, Pid}} -> From ! {Tag, ok}, listener(Ready ++ [Pid], Waiting);
                {call, From, Tag, close} ->
                    [W ! {T, {error, closed}} || {W, T} <- Waiting],
                    From ! {Tag, ok};
                {call, From, Tag, _} -> From ! {Tag, {ok, []}}, listener(Ready, Waiting);
                {'DOWN', _, process, _, _} -> ok
            end
    end.

accept(Listener, Timeout) -> call(Listener, accept, Timeout).

connect(_Host, _Port, Options, _Timeout) ->
    {pipe, #{listener := Listener, seed := Seed, largest := Largest, slow := Slow, cut := Cut}} =
        lists:keyfind(pipe, 1, Options),
    Left = atomics:new(1, [{signed, true}]),
    atomics:put(Left, 1, case Cut of infinity -> 1 bsl 60; _ -> Cut end),
    Make = fun(Owner, N) ->
                   spawn(fun() ->
                                 _ = rand:seed(exsss, {Seed, N, 1}),
                                 monitor(process, Owner),
                                 receive
                                     {peer, Peer} ->
                                         loop(#end_{owner = Owner, peer = Peer, left = Left,
                                                    largest = Largest, slow = Slow})
                                 end
                         end)
           end,
    A = Make(self(), 1),
    B = Make(Listener, 2),
    A ! {peer, B},
    B ! {peer, A},
    case call(Listener, {connected, B}, infinity) of
        ok -> {ok, A};
        Error -> Error
    end.

send(Pid, Data) -> call(Pid, {send, iolist_to_binary(Data)}, infinity).
close(Pid) -> _ = call(Pid, close, infinity), ok.
shutdown(Pid, write) -> call(Pid, shutdown, infinity).
controlling_process(Pid, Owner) -> call(Pid, {owner, Owner}, infinity).
setopts(Pid, Options) -> call(Pid, {setopts, Options}, infinity).
getopts(Pid, Names) -> call(Pid, {getopts, Names}, infinity).
getstat(Pid, _Names) -> call(Pid, getstat, infinity).
peername(Pid) when is_pid(Pid) -> {ok, {{0, 0, 0, 0}, 2}}.
sockname(Pid) when is_pid(Pid) -> {ok, {{0, 0, 0, 0}, 1}}.
port(Pid) when is_pid(Pid) -> {ok, 1}.

call(Pid, Request, Timeout) ->
    Tag = monitor(process, Pid),
    Pid ! {call, self(), Tag, Request},
    receive
        {Tag, Reply} -> demonitor(Tag, [flush]), Reply;
        {'DOWN', Tag, process, _, _} -> {error, closed}
    after Timeout ->
        demonitor(Tag, [flush]),
        receive {Tag, Reply} -> Reply after 0 -> {error, timeout} end
    end.

loop(#end_{owner = Owner, peer = Peer} = E) ->
    receive
        {give, From, Tag} -> From ! {Tag, {ok, self()}}, loop(E);
        {call, From, Tag, close} -> Peer ! eof, From ! {Tag, ok};
        {call, From, Tag, Request} ->
            {Reply, New} = request(Request, E),
            From ! {Tag, Reply},
            loop(due(New));
        {bytes, Bytes} -> loop(due(E#end_{queue = <<(E#end_.queue)/binary, Bytes/binary>>}));
        eof -> loop(due(E#end_{closed = true}));
        deliver -> loop(due(deliver(E#end_{due = false})));
        {'DOWN', _, process, Owner, _} -> Peer ! eof;
        {'DOWN', _, process, _, _} -> loop(E)
    end.

request({send, Bytes}, #end_{peer = Peer, left = Left} = E) ->
    Size = byte_size(Bytes),
    case atomics:sub_get(Left, 1, Size) of
        N when N >= 0 -> Peer ! {bytes, Bytes}, {ok, E};
        N when N + Size =< 0 -> {{error, closed}, E};
        N ->
            Peer ! {bytes, binary:part(Bytes, 0, Size + N)},
            Peer ! eof,
            {ok, E#end_{closed = true}}
    end;
request(shutdown, #end_{peer = Peer} = E) -> Peer ! eof, {ok, E};
request({owner, Pid}, E) -> monitor(process, Pid), {ok, E#end_{owner = Pid}};
request({setopts, Options}, E) ->
    {ok, lists:foldl(fun set/2, E, Options)};
request({getopts, Names}, #end_{active = Active} = E) ->
    {{ok, [{N, case N of active -> Active; mode -> binary; _ -> 0 end}
           || N <- Names, lists:member(N, [active, mode, packet, header, packet_size])]}, E};
request(getstat, #end_{received = N} = E) -> {{ok, [{recv_oct, N}]}, E}.

set({active, N}, #end_{active = Old} = E) when is_integer(N) ->
    E#end_{active = N + case Old of _ when is_integer(Old) -> Old; _ -> 0 end};
set({active, Value}, E) -> E#end_{active = Value};
set(_Option, E) -> E.

%% Makes sure that something is delivered soon, if anything may be.
due(#end_{due = true} = E) -> E;
due(#end_{active = false} = E) -> E;
due(#end_{queue = <<>>, closed = false} = E) -> E;
due(#end_{slow = Slow} = E) ->
    case Slow > 0 andalso rand:uniform(Slow) =:= 1 of
        true -> erlang:send_after(1, self(), deliver);
        false -> self() ! deliver
    end,
    E#end_{due = true}.

deliver(#end_{active = false} = E) -> E;
deliver(#end_{queue = <<>>, closed = true, owner = Owner} = E) ->
    Owner ! {pipe_closed, self()},
    E#end_{active = false};
deliver(#end_{queue = <<>>} = E) -> E;
deliver(#end_{queue = Queue, owner = Owner, active = Active, largest = Largest} = E) ->
    N = min(byte_size(Queue), rand:uniform(Largest)),
    <<Piece:N/binary, Rest/binary>> = Queue,
    Owner ! {pipe, self(), Piece},
    E#end_{queue = Rest, active = counted(Active, Owner), received = E#end_.received + N}.

counted(once, _Owner) -> false;
counted(1, Owner) -> Owner ! {pipe_passive, self()}, false;
counted(N, _Owner) when is_integer(N) -> N - 1;
counted(true, _Owner) -> true.
