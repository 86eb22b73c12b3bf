%% The other end of test/property/etf_beam.test.ts: a BEAM that takes encoded terms apart, puts its own
%% together, and says whether they are equal. Frames are {packet,4}: one byte that names the job, then
%% items, each with its length in 32 bits; no term travels in a shape of its own, since the encoding of terms is
%% what is under test.
-module(beam_term).
-export([start/0]).

-spec start() -> no_return().
start() ->
    Port = open_port({fd, 0, 1}, [binary, {packet, 4}, eof]),
    loop(Port, []).

loop(Port, Kept) ->
    receive
        {Port, {data, <<Job, Items/binary>>}} ->
            {Answer, Next} = run(Job, items(Items), Kept),
            true = port_command(Port, Answer),
            loop(Port, Next);
        {Port, eof} ->
            halt(0)
    end.

%% s: seed the generator.
run($s, [<<Seed:32>>], _) ->
    _ = rand:seed(exsss, Seed),
    {[], []};
%% e: decode each item and encode it again, with varying options.
run($e, Items, Kept) ->
    {join([reencode(Bin) || Bin <- Items]), Kept};
%% t: items are pairs of an encoding and a text; answers with the numbers of those that differ.
run($t, Items, Kept) ->
    {join(differing(Items, 0)), Kept};
%% g: make terms and keep them; answers with encoding and text (empty where a term has none that can be read).
run($g, [<<Count:32>>], _) ->
    Terms = [term(4) || _ <- lists:seq(1, Count)],
    {join(lists:append([[encode(T), text(T)] || T <- Terms])), Terms};
%% k: the kept terms come back; answers with the printed ones of those that differ.
run($k, Items, Kept) ->
    {join([io_lib:format("~0tP is not ~0tP", [back(Bin), 12, T, 12]) || {T, Bin} <- pair(Kept, Items),
                                                               back(Bin) =/= T]), []};
%% c: pairs of terms and how they compare: by value and exactly.
run($c, [<<Count:32>>], Kept) ->
    {join(lists:append([comparison(small(3), small(3)) || _ <- lists:seq(1, Count)])), Kept};
%% o: one term that is deep.
run($o, [<<Depth:32>>], Kept) ->
    {join([term_to_binary(nest(Depth, []))]), Kept};
%% m: which of these (malformed) items decode, as a list of 0 and 1 and what they decode to.
run($m, Items, Kept) ->
    {join([verdict(Bin) || Bin <- Items]), Kept}.

pair([], []) -> [];
pair([A | As], [B | Bs]) -> [{A, B} | pair(As, Bs)].

back(Bin) -> binary_to_term(Bin).

verdict(Bin) ->
    try binary_to_term(Bin) of
        T -> <<1, (term_to_binary(T))/binary>>
    catch
        error:badarg -> <<0>>;
        error:system_limit -> <<0>>
    end.

differing([], _) -> [];
differing([Bin, Text | Rest], N) ->
    case read(Text) =:= binary_to_term(Bin) of
        true -> differing(Rest, N + 1);
        false -> [<<N:32>> | differing(Rest, N + 1)]
    end.

read(Text) ->
    {ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text) ++ "."),
    {ok, Term} = erl_parse:parse_term(Tokens),
    Term.

reencode(Bin) -> encode(binary_to_term(Bin)).

encode(T) ->
    case rand:uniform(8) of
        1 -> term_to_binary(T, [{minor_version, 0}]);
        2 -> term_to_binary(T, [{minor_version, 1}]);
        3 -> term_to_binary(T, [{minor_version, 2}]);
        4 -> term_to_binary(T, [{compressed, rand:uniform(10) - 1}]);
        5 -> encode(T, [deterministic]);
        6 -> iolist_to_binary(term_to_iovec(T));
        _ -> term_to_binary(T)
    end.

%% deterministic: since OTP 24.1.
encode(T, Opts) ->
    try term_to_binary(T, Opts) catch error:badarg -> term_to_binary(T) end.

text(T) ->
    case rand:uniform(4) =:= 1 andalso readable(T) of
        true -> unicode:characters_to_binary(io_lib:format("~0tp", [T]));
        false -> <<>>
    end.

readable(T) when is_pid(T); is_port(T); is_reference(T) -> false;
readable(T) when is_function(T) -> erlang:fun_info(T, type) =:= {type, external};
readable([H | T]) -> readable(H) andalso readable(T);
readable(T) when is_tuple(T) -> readable(tuple_to_list(T));
readable(T) when is_map(T) -> readable(maps:to_list(T));
readable(_) -> true.

comparison(A, B) ->
    [term_to_binary(A), term_to_binary(B), <<(sign(A, B)), (exact(A, B))>>].

sign(A, B) when A < B -> 0;
sign(A, B) when A == B -> 1;
sign(_, _) -> 2.

exact(A, B) when A =:= B -> 1;
exact(_, _) -> 0.

nest(0, T) -> T;
nest(N, T) -> nest(N - 1, [T]).

items(<<>>) -> [];
items(<<Size:32, Item:Size/binary, Rest/binary>>) -> [Item | items(Rest)].

join(Items) -> [[<<(iolist_size(Bin)):32>>, Bin] || Item <- Items, Bin <- [bin(Item)]].

bin(Item) when is_binary(Item) -> Item;
bin(Item) -> unicode:characters_to_binary(Item).

%% Terms of every kind.

term(Depth) ->
    case rand:uniform(if Depth > 0 -> 24; true -> 17 end) of
        N when N =< 3 -> atom();
        N when N =< 6 -> integer();
        7 -> float();
        8 -> rand:bytes(rand:uniform(40) - 1);
        9 -> text_binary();
        10 -> <<_:3, Bits/bitstring>> = rand:bytes(rand:uniform(9)), Bits;
        11 -> [rand:uniform(256) - 1 || _ <- lists:seq(1, rand:uniform(30))];
        12 -> pid();
        13 -> port();
        14 -> reference();
        15 -> [];
        16 -> function(Depth);
        17 -> fun lists:map/2;
        18 -> list_to_tuple(terms(5, Depth));
        19 -> terms(6, Depth);
        20 -> terms(6, Depth) ++ atom();
        21 -> maps:from_list([{key(Depth - 1), term(Depth - 1)} || _ <- lists:seq(1, rand:uniform(6))]);
        22 -> maps:from_list([{key(0), term(0)} || _ <- lists:seq(1, rand:uniform(60))]);
        23 -> list_to_tuple([integer() || _ <- lists:seq(1, 250 + rand:uniform(20))]);
        24 -> lists:foldl(fun(_, T) -> [T] end, term(0), lists:seq(1, rand:uniform(300)))
    end.

%% No references of a single word: in a map of more than 32 entries, OTP 25 does not find one again that it has
%% decoded from its own encoding, so that such a map is not =:= to itself after a round trip inside the BEAM.
key(Depth) ->
    Key = term(Depth),
    case has_short_reference(Key) of
        true -> key(Depth);
        false -> Key
    end.

has_short_reference([H | T]) -> has_short_reference(H) orelse has_short_reference(T);
has_short_reference(T) when is_tuple(T) -> has_short_reference(tuple_to_list(T));
has_short_reference(T) when is_map(T) -> has_short_reference(maps:to_list(T));
has_short_reference(T) when is_function(T) ->
    {env, Free} = erlang:fun_info(T, env),
    has_short_reference(Free);
has_short_reference(T) when is_reference(T) ->
    <<131, 90, Words:16, _/binary>> = term_to_binary(T),
    Words =:= 1;
has_short_reference(_) -> false.

terms(Max, Depth) -> [term(Depth - 1) || _ <- lists:seq(1, rand:uniform(Max + 1) - 1)].

atom() ->
    case rand:uniform(8) of
        1 -> element(rand:uniform(8), {true, false, undefined, nil, null, '', 'two words', 'if'});
        2 -> list_to_atom([16#3b0 + rand:uniform(20) || _ <- lists:seq(1, rand:uniform(5))]);
        3 -> list_to_atom([16#df + rand:uniform(20) || _ <- lists:seq(1, rand:uniform(5))]);
        4 -> list_to_atom(lists:duplicate(250 + rand:uniform(5), $a + rand:uniform(3)));
        5 -> list_to_atom(lists:duplicate(250 + rand:uniform(5), 16#1F600 + rand:uniform(3)));
        _ -> list_to_atom([$a + rand:uniform(25) || _ <- lists:seq(1, rand:uniform(3))])
    end.

integer() ->
    sign() * case rand:uniform(6) of
                 1 -> rand:uniform(256) - 1;
                 2 -> rand:uniform(1 bsl 32);
                 3 -> (1 bsl rand:uniform(70)) + rand:uniform(3) - 2;
                 4 -> rand:uniform(1 bsl rand:uniform(600));
                 5 -> (1 bsl (2030 + rand:uniform(30))) - rand:uniform(2);
                 6 -> rand:uniform(1000)
             end.

sign() -> 2 * rand:uniform(2) - 3.

float() ->
    case rand:uniform(6) of
        1 -> 0.0;
        2 -> 1.0 * (rand:uniform(100) - 50);
        3 -> 1.7976931348623157e308 * sign();
        4 -> 5.0e-324;
        5 -> rand:uniform() * math:pow(10, rand:uniform(600) - 300);
        6 -> sign() * rand:uniform()
    end.

text_binary() ->
    unicode:characters_to_binary([element(rand:uniform(6), {$a, $", $\\, $\n, 16#e9, 16#20ac})
                                  || _ <- lists:seq(1, rand:uniform(12))]).

node_atom() ->
    element(rand:uniform(4), {'a@b', 'other@host.example', 'ö@ü', 'λ@host'}).

tagged_node() ->
    Node = node_atom(),
    Utf8 = atom_to_binary(Node, utf8),
    try {atom_to_binary(Node, latin1), rand:uniform(4)} of
        {Latin1, 1} -> <<100, (byte_size(Latin1)):16, Latin1/binary>>;
        {Latin1, 2} -> <<115, (byte_size(Latin1)), Latin1/binary>>;
        {_, 3} -> <<118, (byte_size(Utf8)):16, Utf8/binary>>;
        {_, 4} -> <<119, (byte_size(Utf8)), Utf8/binary>>
    catch
        error:_ -> <<119, (byte_size(Utf8)), Utf8/binary>>
    end.

pid() ->
    Node = tagged_node(),
    case rand:uniform(3) of
        1 -> self();
        2 -> binary_to_term(<<131, 88, Node/binary, (rand:bytes(12))/binary>>);
        3 -> binary_to_term(<<131, 103, Node/binary, (rand:uniform(32000)):32, (rand:uniform(8000)):32,
                              (rand:uniform(3))>>)
    end.

port() ->
    Node = tagged_node(),
    case rand:uniform(4) of
        1 -> hd(erlang:ports());
        2 -> binary_to_term(<<131, 102, Node/binary, (rand:uniform(1 bsl 27)):32, (rand:uniform(3))>>);
        3 -> binary_to_term(<<131, 89, Node/binary, (rand:uniform(1 bsl 27)):32,
                              (rand:uniform(1 bsl 31)):32>>);
        4 -> binary_to_term(<<131, 120, Node/binary, (rand:bytes(12))/binary>>)
    end.

reference() ->
    Node = tagged_node(),
    case rand:uniform(5) of
        1 -> make_ref();
        2 -> erlang:alias();
        3 -> binary_to_term(<<131, 101, Node/binary, (rand:uniform(1 bsl 17)):32, (rand:uniform(3))>>);
        4 -> binary_to_term(<<131, 114, 3:16, Node/binary, (rand:uniform(3)), (rand:uniform(1 bsl 17)):32,
                              (rand:bytes(8))/binary>>);
        5 -> Words = rand:uniform(5),
             binary_to_term(<<131, 90, Words:16, Node/binary, (rand:bytes(4))/binary,
                              (rand:uniform(1 bsl 17)):32, (rand:bytes(4 * Words - 4))/binary>>)
    end.

function(Depth) when Depth > 0 ->
    Free = term(Depth - 1),
    case rand:uniform(3) of
        1 -> fun() -> Free end;
        2 -> fun(X) -> {X, Free, Depth} end;
        3 -> fun erlang:send/2
    end;
function(_) ->
    fun(X, Y) -> {X, Y} end.

%% Terms out of a small world, so that many are equal or nearly so.

small(Depth) ->
    case rand:uniform(if Depth > 0 -> 18; true -> 12 end) of
        1 -> rand:uniform(3);
        2 -> 1.0 * rand:uniform(3);
        3 -> (1 bsl 53) + rand:uniform(3);
        4 -> 9007199254740992.0 + 2 * rand:uniform(3);
        5 -> element(rand:uniform(7), {a, b, aa, '', 'ö', list_to_atom([16#ffee]), list_to_atom([16#1F600])});
        6 -> rand:bytes(rand:uniform(3) - 1);
        7 -> <<0:(rand:uniform(20)), (rand:uniform(2)):(rand:uniform(4))>>;
        8 -> [];
        9 -> <<131, Bin/binary>> = term_to_binary(small_identifier()),
             binary_to_term(<<131, Bin/binary>>);
        10 -> element(rand:uniform(4), {fun lists:map/2, fun lists:map/3, fun a:map/2, fun lists:all/2});
        11 -> element(rand:uniform(2), {true, false});
        12 -> (rand:uniform(3) - 2) * (1 bsl (60 + rand:uniform(8)));
        13 -> list_to_tuple([small(Depth - 1) || _ <- lists:seq(1, rand:uniform(3) - 1)]);
        14 -> [small(Depth - 1) || _ <- lists:seq(1, rand:uniform(3))];
        15 -> [small(Depth - 1) || _ <- lists:seq(1, rand:uniform(2))] ++ small(0);
        16 -> maps:from_list([{small(Depth - 1), small(Depth - 1)} || _ <- lists:seq(1, rand:uniform(3))]);
        17 -> F = small(0), fun() -> F end;
        18 -> [rand:uniform(2) || _ <- lists:seq(1, rand:uniform(3))]
    end.

small_identifier() ->
    Node = <<119, 3, (element(rand:uniform(2), {<<"a@b">>, <<"b@a">>}))/binary>>,
    Id = rand:uniform(2),
    Serial = rand:uniform(2),
    Creation = rand:uniform(2) + 4,
    binary_to_term(
      case rand:uniform(3) of
          1 -> <<131, 88, Node/binary, Id:32, Serial:32, Creation:32>>;
          2 -> <<131, 120, Node/binary, Id:64, Creation:32>>;
          3 -> <<131, 90, Serial:16, Node/binary, Creation:32, (<<Id:32>>)/binary,
                 (binary:copy(<<Id:32>>, Serial - 1))/binary>>
      end).
