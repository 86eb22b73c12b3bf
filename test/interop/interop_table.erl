%% What the run says, and the tables in docs/features.md.
-module(interop_table).

-export([print/2, write/3, counts/2]).

-include("interop.hrl").

-define(TABLES, "docs/features.md").
-define(SIZE, byte_size(interop_peers:payload())).

-type result() :: ok | {gap, string()} | {failed, term()}.

%% --- on the terminal -----------------------------------------------------------------------------

%% One line for each peer, role and version; the failures in full.
-spec print([{#cell{}, result()}], [{interop_features:feature(), result()}]) -> ok.
print(Results, Features) ->
    [begin
         Some = [Result || {#cell{peer = P, role = O, version = V}, _} = Result <- Results, {P, O, V} =:= Key],
         {Passed, Failed, Gaps} = counts(Some, []),
         io:format("~-14s as ~-6s  ~-8s ~4b passed, ~b failed, ~b gaps~n",
                   [interop_peers:title(Peer), Role, Version, Passed, Failed, Gaps])
     end || {Peer, Role, Version} = Key <- unique([{P, O, V} || {#cell{peer = P, role = O, version = V}, _} <- Results])],
    [io:format("FAILED ~s as ~s ~s ~s ~s: ~0tp~n",
               [interop_peers:title(C#cell.peer), C#cell.role, C#cell.version, (C#cell.suite)#suite.name, C#cell.kind, Why])
     || {C, {failed, Why}} <- Results],
    [io:format("~-14s as ~-6s  ~ts: ~0tp~n", [interop_peers:title(Peer), Role, Name, Result])
     || {{Name, Peer, Role}, Result} <- Features],
    ok.

%% How many passed, failed and were gaps.
-spec counts([{#cell{}, result()}], [{interop_features:feature(), result()}]) ->
          {non_neg_integer(), non_neg_integer(), non_neg_integer()}.
counts(Results, Features) ->
    counts([R || {_, R} <- Results] ++ [R || {_, R} <- Features]).

counts(Results) ->
    {length([ok || ok <- Results]), length([x || {failed, _} <- Results]), length([x || {gap, _} <- Results])}.

unique(List) ->
    {Kept, _} = lists:foldl(fun(E, {Kept, Seen}) ->
                                    case Seen of
                                        #{E := _} -> {Kept, Seen};
                                        _ -> {[E | Kept], Seen#{E => yes}}
                                    end
                            end, {[], #{}}, List),
    lists:reverse(Kept).

%% --- in the documents ----------------------------------------------------------------------------

%% `Tried' says of suites without any peer what was tried.
-spec write([{#cell{}, result()}], [{interop_features:feature(), result()}], [{atom(), string()}]) -> ok.
write(Results, Features, Tried) ->
    ok = file:write_file(?TABLES, unicode:characters_to_binary(
                                    [introduction(Results), numbers(Results), features(Features),
                                     suites(Results, Tried), kinds(Results), gaps(Results, Features)])).

introduction(Results) ->
    {Passed, _, _} = counts(Results, []),
    ["# What works, and with whom\n\n"
     "Written by `make interop` from what it saw. Each cell of its matrix is one peer, the role of `ssl_port`, a version,\n"
     "a suite and a kind of certificate: the client verified the server, ", integer_to_list(?SIZE), " bytes went each way and\n"
     "came back whole, and version and suite were the ones asked for. ", integer_to_list(Passed), " cells passed. What is\n"
     "listed as not working fails in each run, too, or the run fails.\n\n"
     "Peers: ", lists:join(", ", [interop_peers:version(P) || P <- peers(Results)]), ".\n"].

numbers(Results) ->
    ["\n## Cells that passed\n\n`ssl_port` as client / as server; with *n*, so many cells did not (see the end).\n\n"
     "| peer |", [[" ", short(V), " |"] || V <- interop_cells:versions()], "\n| --- |",
     [" --- |" || _ <- interop_cells:versions()], "\n",
     [["| ", interop_peers:title(Peer), " |",
       [[" ", number(Results, Peer, V), " |"] || V <- interop_cells:versions()], "\n"] || Peer <- peers(Results)]].

number(Results, Peer, Version) ->
    lists:join(" / ", [begin
                           {Passed, Failed, Gaps} =
                               counts([{C, R} || {#cell{peer = P, version = V, role = O} = C, R} <- Results,
                                                 P =:= Peer, V =:= Version, O =:= Role], []),
                           case {Passed, Failed + Gaps} of
                               {0, 0} -> "–";
                               {_, 0} -> integer_to_list(Passed);
                               {_, More} -> [integer_to_list(Passed), " *", integer_to_list(More), "*"]
                           end
                       end || Role <- [server, client]]).

suites(Results, Tried) ->
    ["\n## Suites\n\nIn brackets the versions; **bold** are the suites of R16.\n\n"
     "| suite | as client with | as server with |\n| --- | --- | --- |\n",
     [["| ", case interop_cells:is_seed(Suite) of true -> ["**", Name, "**"]; false -> Name end, " | ",
       case {with(Results, server, Is), with(Results, client, Is), [Why || {N, Why} <- Tried, atom_to_list(N) =:= Name]} of
           {[], [], [Why | _]} -> ["*nobody*: ", Why, " | *nobody*"];
           {[], [], []} -> "*nobody* | *nobody*";
           {Client, Server, _} -> [dash(Client), " | ", dash(Server)]
       end, " |\n"]
      || #suite{name = Name} = Suite <- interop_cells:suites(), Is <- [fun(#cell{suite = S}) -> S =:= Suite end]]].

kinds(Results) ->
    ["\n## Certificates of the server\n\n| key | as client with | as server with |\n| --- | --- | --- |\n",
     [["| ", words(Kind), " | ", dash(with(Results, server, Is)), " | ", dash(with(Results, client, Is)), " |\n"]
      || Kind <- interop_certificates:kinds(), Is <- [fun(#cell{kind = K}) -> K =:= Kind end]]].

%% The peers that have the other role in some cell that passed, with the versions.
with(Results, PeerRole, Is) ->
    lists:join(", ", [[interop_peers:title(Peer), " (", range(Versions), ")"]
                      || Peer <- peers(Results),
                         Versions <- [[V || V <- interop_cells:versions(),
                                            lists:any(fun({#cell{peer = P, role = R, version = W} = C, Result}) ->
                                                              Result =:= ok andalso P =:= Peer andalso R =:= PeerRole
                                                                  andalso W =:= V andalso Is(C)
                                                      end, Results)]],
                         Versions =/= []]).

range([One]) -> short(One);
range([First | _] = Versions) -> [short(First), "–", short(lists:last(Versions))].

dash([]) -> "–";
dash(Text) -> Text.

features(Features) ->
    Names = unique([Name || {{Name, _, _}, _} <- Features]),
    ["\n## Features\n\n| feature | as client with | as server with |\n| --- | --- | --- |\n",
     [["| ", Name, " | ", feature(Features, Name, server), " | ", feature(Features, Name, client), " |\n"]
      || Name <- Names]].

feature(Features, Name, PeerRole) ->
    dash(lists:join(", ", [interop_peers:title(P) || {{N, P, R}, ok} <- Features, N =:= Name, R =:= PeerRole])).

gaps(Results, Features) ->
    Whys = unique([Why || {_, {gap, Why}} <- Results]),
    ["\n## What did not work\n\n",
     [["* ", Why, " (", lists:join("; ", unique([[interop_peers:title(P), " as ", atom_to_list(R), ", ", short(V)]
                                                || {#cell{peer = P, role = R, version = V}, {gap, W}} <- Results,
                                                   W =:= Why])), ")\n"]
      || Why <- Whys],
     [["* ", Name, ", ", interop_peers:title(P), " as ", atom_to_list(R), ": ", Why, "\n"]
      || {{Name, P, R}, {gap, Why}} <- Features]].

peers(Results) -> unique([P || {#cell{peer = P}, _} <- Results]).

short(sslv3) -> "3.0";
short(tlsv1) -> "1.0";
short(Version) -> string:slice(atom_to_list(Version), 4).

words(rsa) -> "RSA";
words(rsa_pss) -> "RSASSA-PSS";
words(p256) -> "ECDSA, P-256";
words(p384) -> "ECDSA, P-384";
words(ed25519) -> "Ed25519";
words(dsa) -> "DSA";
words(ecdh_rsa) -> "P-256, signed by RSA".
