%%% @private
%%% What `ssl_port:info/0,1' and `ssl_port:i/0' tell: the connections and listeners of this node, asked one
%%% by one. Nothing is kept for it.
-module(ssl_port_inside).

-export([info/0]).
-export([info/1]).
-export([table/0]).

-include("ssl_port.hrl").

%% How long a connection's process may take to say what it knows.
-define(PATIENCE, 5000).

-spec info() -> map().
info() ->
    #{version => proplists:get_value(ssl_app, ssl_port:versions()),
      profile => ssl_port_environment:profile(),
      counters => ssl_port_metrics:counters(),
      workers => ssl_port_metrics:workers(),
      sockets => sockets()}.

%% All sockets, the oldest first.
-spec sockets() -> [map()].
sockets() ->
    Told = [Info || Connection <- ssl_port_connection_sup:children(),
                    Info <- of_connection(Connection)],
    [Info || {_, Info} <- lists:sort([{-maps:get(age, Info), Info} || Info <- Told])].

-spec info(tuple()) -> {ok, map()} | {error, term()}.
info(?CONNECTION(_, _, _, Connection, _)) -> one(Connection);
info(?LISTENER(_, _, _, Connection, _)) -> one(Connection).

one(Connection) ->
    case of_connection(Connection) of
        [Info] -> {ok, Info};
        [] -> {error, closed}
    end.

of_connection(Connection) ->
    try gen_server:call(Connection, about, ?PATIENCE) of
        About -> [maps:merge(About, of_socket(About))]
    catch
        exit:_ -> []
    end.

of_socket(#{socket := ?LISTENER(_, _, _, _, Worker) = Socket}) ->
    #{kind => listener, worker => index(Worker), state => listening,
      local => ok_or_undefined(ssl_port:sockname(Socket))};
of_socket(#{socket := ?CONNECTION(_, Atomics, _, _, Worker) = Socket}) ->
    Items = case ssl_port:connection_information(Socket, [protocol, selected_cipher_suite,
                                                          session_resumption]) of
                {ok, Told} -> Told;
                _ -> []
            end,
    Bytes = case ssl_port:getstat(Socket, [recv_oct, send_oct]) of
                {ok, Counted} -> Counted;
                _ -> []
            end,
    #{kind => connection, worker => index(Worker),
      state => state(atomics:get(Atomics, ?SLOT_STATE)),
      active => active(atomics:get(Atomics, ?SLOT_ACTIVE)),
      unacknowledged => max(0, atomics:get(Atomics, ?SLOT_UNACKED)),
      peer => ok_or_undefined(ssl_port:peername(Socket)),
      local => ok_or_undefined(ssl_port:sockname(Socket)),
      version => proplists:get_value(protocol, Items),
      suite => suite(proplists:get_value(selected_cipher_suite, Items)),
      resumed => proplists:get_value(session_resumption, Items),
      bytes_received => proplists:get_value(recv_oct, Bytes),
      bytes_sent => proplists:get_value(send_oct, Bytes)}.

state(?STATE_OPEN) -> open;
state(?STATE_NEW) -> handshake;
state(?STATE_FAILED) -> closed.

active(?ACTIVE_FALSE) -> false;
active(?ACTIVE_TRUE) -> true;
active(?ACTIVE_ONCE) -> once;
active(Other) -> Other.

suite(undefined) -> undefined;
suite(Suite) -> ssl_port_ciphers:suite_to_str(Suite).

index(Worker) ->
    case ssl_port_worker:worker(Worker) of
        {ok, {Index, _, _, _}} -> Index;
        {error, closed} -> undefined
    end.

ok_or_undefined({ok, Value}) -> Value;
ok_or_undefined({error, _}) -> undefined.

%% Printing.

-spec table() -> iodata().
table() ->
    Rows = [headings() | [row(Info) || Info <- sockets()]],
    Widths = [lists:max([string:length(Cell) || Cell <- Column]) || Column <- columns(Rows)],
    [line(Row, Widths) || Row <- Rows].

columns([[] | _]) -> [];
columns(Rows) -> [[hd(Row) || Row <- Rows] | columns([tl(Row) || Row <- Rows])].

line(Row, Widths) ->
    Cells = [string:pad(Cell, Width) || {Cell, Width} <- lists:zip(Row, Widths)],
    [string:trim(lists:flatten(lists:join("  ", Cells)), trailing), $\n].

headings() ->
    ["W", "Peer", "Local", "Version", "Suite", "Age", "In", "Out", "Unacked", "State", "Active",
     "Owner"].

row(#{kind := listener, worker := Worker, local := Local, age := Age, owner := Owner}) ->
    [word(Worker), "-", address(Local), "-", "-", age(Age), "-", "-", "-", "listening", "-",
     owner(Owner)];
row(#{worker := Worker, peer := Peer, local := Local, version := Version, suite := Suite,
      age := Age, bytes_received := In, bytes_sent := Out, unacknowledged := Unacked, state := State,
      active := Active, owner := Owner}) ->
    [word(Worker), address(Peer), address(Local), word(Version), word(Suite), age(Age), word(In),
     word(Out), word(Unacked), word(State), word(Active), owner(Owner)].

word(undefined) -> "-";
word(Atom) when is_atom(Atom) -> atom_to_list(Atom);
word(Text) when is_list(Text) -> Text;
word(Term) -> lists:flatten(io_lib:format("~tp", [Term])).

address({Ip, Port}) when tuple_size(Ip) =:= 4, is_integer(Port) ->
    inet:ntoa(Ip) ++ ":" ++ integer_to_list(Port);
address({Ip, Port}) when tuple_size(Ip) =:= 8, is_integer(Port) ->
    "[" ++ inet:ntoa(Ip) ++ "]:" ++ integer_to_list(Port);
address(Other) ->
    word(Other).

age(Milliseconds) ->
    Seconds = Milliseconds div 1000,
    lists:flatten(io_lib:format("~w:~2..0w:~2..0w",
                                [Seconds div 3600, Seconds div 60 rem 60, Seconds rem 60])).

owner(Pid) ->
    case erlang:process_info(Pid, registered_name) of
        {registered_name, Name} -> word(Name);
        _ -> pid_to_list(Pid)
    end.
