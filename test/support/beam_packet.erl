%% The other end of test/property/packet_otp.test.ts: a BEAM that cuts streams with erlang:decode_packet/3, as
%% they come piece by piece, and says where the outcome differs from the one it was given. Frames are those
%% of beam_term.erl.
-module(beam_packet).
-export([start/0]).

%% The longest packet that the port program takes; for a longer one it says emsgsize.
-define(LIMIT, (512 * 1024 * 1024)).

-spec start() -> no_return().
start() ->
    Port = open_port({fd, 0, 1}, [binary, {packet, 4}, eof]),
    loop(Port).

loop(Port) ->
    receive
        {Port, {data, <<$c, Size:32, Cases:Size/binary>>}} ->
            true = port_command(Port, [item(Text) || Text <- differing(binary_to_term(Cases), 0)]),
            loop(Port);
        {Port, eof} ->
            halt(0)
    end.

item(Text) ->
    Bytes = unicode:characters_to_binary(Text),
    [<<(byte_size(Bytes)):32>>, Bytes].

differing([{Type, Limit, Pieces, Outcome} | Cases], Index) ->
    case pieces(Type, start, Limit, <<>>, Pieces) of
        Outcome ->
            differing(Cases, Index + 1);
        Other ->
            [io_lib:format("~b: ~0p~nhere: ~0p~nthere: ~0p",
                           [Index, {Type, Limit, Pieces}, Other, Outcome])
             | differing(Cases, Index + 1)]
    end;
differing([], _Index) ->
    [].

%% What comes of each piece, in order; after an error nothing does.
pieces(Type, State, Limit, Before, [Piece | Pieces]) ->
    {Packets, Left} = cut(Type, State, Limit, <<Before/binary, Piece/binary>>, []),
    case Left of
        error -> [Packets | [[] || _ <- Pieces]];
        {After, Rest} -> [Packets | pieces(Type, After, Limit, Rest, Pieces)]
    end;
pieces(_Type, _State, _Limit, _Before, []) ->
    [].

cut(_Type, State, _Limit, <<>>, Acc) ->
    {lists:reverse(Acc), {State, <<>>}};
cut(Type, State, Limit, Buffer, Acc) ->
    case erlang:decode_packet(type(Type, State), Buffer, [{packet_size, Limit}]) of
        {ok, Packet, Rest} -> cut(Type, state(Type, Packet, State), Limit, Rest, [Packet | Acc]);
        {more, Size} when is_integer(Size), Size > ?LIMIT -> {lists:reverse(Acc, [emsgsize]), error};
        {more, _} -> {lists:reverse(Acc), {State, Buffer}};
        {error, invalid} -> failed(Buffer, Acc)
    end.

failed(Buffer, Acc) ->
    {lists:reverse(Acc, [{invalid_packet, Buffer}]), error}.

%% As ssl does it: after a first line come header fields, and after them a first line.
type(http, fields) -> httph;
type(http_bin, fields) -> httph_bin;
type(Type, _State) -> Type.

state(Type, http_eoh, _) when Type =:= http; Type =:= http_bin -> start;
state(Type, Packet, _) when (Type =:= http orelse Type =:= http_bin), is_tuple(Packet),
                            (element(1, Packet) =:= http_request
                             orelse element(1, Packet) =:= http_response) -> fields;
state(_Type, _Packet, State) -> State.
