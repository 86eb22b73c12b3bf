%% Which cells the matrix has, and which of them `make test' runs.
-module(interop_cells).

-export([suites/0, versions/0, all/1, few/1, is_seed/1, is_gap/2]).

-include("interop.hrl").

-define(SUITES, "build/interop/suites.txt").

-spec versions() -> [atom()].
versions() -> [sslv3, tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'].

%% The suites that the program itself knows.
-spec suites() -> [#suite{}].
suites() ->
    {ok, Text} = file:read_file(?SUITES),
    [suite(string:lexemes(Line, " ")) || Line <- string:lexemes(binary_to_list(Text), "\n")].

suite([Code, Name, OpenSsl | Names]) ->
    [Kx, Cipher, Mac, First, Last] = [list_to_atom(N) || N <- Names],
    #suite{code = list_to_integer(Code, 16), name = Name, openssl = OpenSsl,
           kx = Kx, cipher = Cipher, mac = Mac, first = First, last = Last}.

%% Everything that started peers can be asked for.
-spec all([interop_peers:peer()]) -> [#cell{}].
all(Peers) ->
    Suites = suites(),
    [#cell{peer = interop_peers:name(Peer), role = Role, version = Version, suite = Suite, kind = Kind}
     || Peer <- Peers, Role <- [server, client], Version <- versions(), Suite <- Suites,
        fits(Suite, Version), interop_peers:has_suite(Peer, Version, Suite),
        Kind <- kinds(Suite, Version), interop_peers:has_kind(Peer, Kind)].

fits(#suite{first = First, last = Last}, Version) ->
    age(First) =< age(Version) andalso age(Version) =< age(Last).

age(Version) ->
    length(lists:takewhile(fun(V) -> V =/= Version end, versions())).

kinds(#suite{kx = Kx}, Version) ->
    case Kx of
        any -> [rsa, rsa_pss, p256, p384, ed25519];
        _ when Kx =:= dhe_rsa; Kx =:= ecdhe_rsa -> [rsa | [rsa_pss || Version =:= 'tlsv1.2']];
        ecdhe_ecdsa -> [p256, p384 | [ed25519 || Version =:= 'tlsv1.2']];
        ecdh_ecdsa -> [p256, p384];
        ecdh_rsa -> [ecdh_rsa];
        _ when Kx =:= rsa; Kx =:= rsa_psk; Kx =:= srp_rsa -> [rsa];
        _ when Kx =:= dhe_dss; Kx =:= srp_dss -> [dsa];
        _ -> [none]
    end.

%% For each peer in each role: every version with every key exchange and kind of certificate, and every
%% cipher; and every suite with one of the peers.
-spec few([#cell{}]) -> [#cell{}].
few(Cells) ->
    {Few, _} = lists:foldl(
                 fun(Cell, {Kept, Seen}) ->
                         case [F || F <- facets(Cell), not maps:is_key(F, Seen)] of
                             [] -> {Kept, Seen};
                             New -> {[Cell | Kept], maps:merge(Seen, maps:from_list([{F, yes} || F <- New]))}
                         end
                 end, {[], #{}}, Cells),
    lists:reverse(Few).

facets(#cell{peer = Peer, role = Role, version = Version, kind = Kind, suite = Suite}) ->
    #suite{name = Name, kx = Kx, cipher = Cipher, mac = Mac} = Suite,
    [{Peer, Role, Version, Kx, Kind}, {Peer, Role, Cipher, Mac}, {Role, Version, Name}].

%% The suites of R16's `cipher_suites(all)', the anonymous and the PSK and SRP ones included.
-spec is_seed(#suite{}) -> boolean().
is_seed(#suite{kx = dhe_dss, cipher = des_cbc}) -> false;
is_seed(#suite{kx = ecdhe_psk}) -> false;
is_seed(#suite{cipher = Cipher}) ->
    lists:member(Cipher, [rc4_128, des_cbc, '3des_ede_cbc', aes_128_cbc, aes_256_cbc]).

%% Whether an entry of gaps.eterm speaks of a cell; `_' stands for any, and a list for any of its elements.
%% What says which suite may be its key exchange, its cipher or its name.
-spec is_gap(tuple(), #cell{}) -> boolean().
is_gap({Peers, Roles, Versions, Suites, Kinds, _Why}, #cell{suite = Suite} = Cell) ->
    speaks(Peers, [Cell#cell.peer]) andalso speaks(Roles, [Cell#cell.role])
        andalso speaks(Versions, [Cell#cell.version]) andalso speaks(Kinds, [Cell#cell.kind])
        andalso speaks(Suites, [Suite#suite.kx, Suite#suite.cipher, list_to_atom(Suite#suite.name)]).

speaks('_', _) -> true;
speaks(Listed, Facts) when is_list(Listed) -> lists:any(fun(Fact) -> lists:member(Fact, Listed) end, Facts);
speaks(One, Facts) -> lists:member(One, Facts).
