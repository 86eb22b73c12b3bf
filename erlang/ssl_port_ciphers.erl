%%% @private
%%% What `ssl' tells about cipher suites, groups and signature algorithms without a
%%% connection. Nothing here needs the application to run. The tables are those of the
%%% engine (ssl_port_suites.hrl); only the order in which OTP lists what is off by default
%%% is written here.
-module(ssl_port_ciphers).

-export([cipher_suites/1]).
-export([cipher_suites/2]).
-export([cipher_suites/3]).
-export([filter/2]).
-export([prepend/2]).
-export([append/2]).
-export([suite_to_str/1]).
-export([suite_to_openssl_str/1]).
-export([str_to_suite/1]).
-export([old_suite/1]).
-export([eccs/0]).
-export([eccs/1]).
-export([groups/0]).
-export([groups/1]).
-export([signature_algs/2]).
-export([versions/0]).

-export_type([suite/0]).
-export_type([old_suite/0]).
-export_type([description/0]).
-export_type([version/0]).
-export_type([filters/0]).

-include("ssl_port_suites.hrl").

-type suite() :: #{key_exchange := atom(), cipher := atom(), mac := atom(), prf := atom()}.
-type old_suite() :: {KeyExchange :: atom(), Cipher :: atom(), Mac :: atom()}
                   | {KeyExchange :: atom(), Cipher :: atom(), Mac :: atom(), Prf :: atom()}.
%% As before OTP 20: the fourth element stands where a suite of TLS 1.2 names its PRF.
-type description() :: default | all | exclusive | anonymous | exclusive_anonymous.
-type version() :: tlsv1 | 'tlsv1.1' | 'tlsv1.2' | 'tlsv1.3' | dtlsv1 | 'dtlsv1.2'.
%% Those of DTLS have answers here, though nobody speaks it.
-type filters() :: [{key_exchange | cipher | mac | prf, fun((atom()) -> boolean())}].

-define(SIGNAL, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV").

%% Lists of suites.

%% As before OTP 24: the suites of the newest version before TLS 1.3.
-spec cipher_suites(erlang | openssl | all) -> [old_suite() | string()].
cipher_suites(erlang) -> [old_suite(map(Row)) || Row <- rows(default, 'tlsv1.2')];
cipher_suites(openssl) -> [openssl_name(Row) || Row <- rows(default, 'tlsv1.2')];
cipher_suites(all) ->
    [old_suite(map(Row)) || Row <- unique(rows(all, 'tlsv1.2') ++ rows(anonymous, 'tlsv1.2'))].

-spec cipher_suites(description(), version() | {3, 1..4} | {254, 253 | 255}) -> [suite()].
cipher_suites(Description, Version) ->
    [map(Row) || Row <- rows(Description, Version)].

-spec cipher_suites(description(), version() | {3, 1..4} | {254, 253 | 255}, rfc | openssl) -> [string()].
cipher_suites(Description, Version, rfc) ->
    [name(Row) || Row <- rows(Description, Version)];
cipher_suites(Description, Version, openssl) ->
    [openssl_name(Row) || Row <- rows(Description, Version)].

%% As on the wire, too.
rows(Description, {3, Minor}) when Minor >= 1, Minor =< 4 ->
    rows(Description, element(Minor, {tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'}));
rows(Description, {254, 255}) ->
    rows(Description, dtlsv1);
rows(Description, {254, 253}) ->
    rows(Description, 'dtlsv1.2');
rows(Description, dtlsv1) ->
    no_stream(rows(Description, 'tlsv1.1'));
rows(Description, 'dtlsv1.2') ->
    no_stream(rows(Description, 'tlsv1.2'));
rows(default, 'tlsv1.3') ->
    defaults('tlsv1.3') ++ defaults('tlsv1.2');
rows(default, Version) ->
    defaults(Version);
rows(all, 'tlsv1.3') ->
    defaults('tlsv1.3') ++ rows(all, 'tlsv1.2');
rows(all, Version) ->
    unique(defaults(Version) ++ cbc(profile(), Version)
           ++ lists:append([select(Tier) || Tier <- weak(Version)]) ++ older(profile(), Version));
rows(exclusive, Version) ->
    defaults(Version) -- before(Version);
rows(anonymous, Version) ->
    anonymous(profile(), Version);
rows(exclusive_anonymous, Version) ->
    select(unverified(Version)).

%% RFC 6347 §4.1.2.2: DTLS has no stream ciphers, whose state a lost record breaks.
no_stream(Rows) ->
    [Row || {_, _, _, _, Cipher, _, _, _} = Row <- Rows, Cipher =/= rc4_128].

%% OTP names some twice.
anonymous(r16, Version) -> unique(all_anonymous(Version));
anonymous(_, Version) -> all_anonymous(Version).

all_anonymous('tlsv1.3') -> [];
all_anonymous('tlsv1.2') -> rows(exclusive_anonymous, 'tlsv1.2') ++ all_anonymous('tlsv1.1');
all_anonymous('tlsv1.1') -> rows(exclusive_anonymous, 'tlsv1.1') ++ all_anonymous(tlsv1);
all_anonymous(tlsv1) -> rows(exclusive_anonymous, tlsv1).

before('tlsv1.3') -> [];
before('tlsv1.2') -> defaults('tlsv1.1');
before('tlsv1.1') -> defaults(tlsv1);
before(tlsv1) -> [].

defaults(Version) when Version =:= 'tlsv1.3'; Version =:= 'tlsv1.2';
                       Version =:= 'tlsv1.1'; Version =:= tlsv1 ->
    defaults(profile(), Version).

defaults(Profile, Version) ->
    {_, Codes} = lists:keyfind({Profile, Version}, 1, ?DEFAULT_SUITES),
    [lists:keyfind(Code, 1, ?SUITES) || Code <- Codes].

profile() ->
    case ssl_port_environment:profile() of
        r16 -> r16;
        otp26 -> otp26;
        _ -> otp25
    end.

%% What a tier names: {KeyExchanges, Ciphers with their MACs}; of each cipher all key
%% exchanges that have a suite with it, in their order.
select(Tiers) ->
    [Row || {KeyExchanges, Ciphers} <- Tiers,
            {Cipher, Mac} <- Ciphers,
            KeyExchange <- KeyExchanges,
            {_, _, _, RowKx, RowCipher, RowMac, _, _} = Row <- ?SUITES,
            RowKx =:= KeyExchange, RowCipher =:= Cipher, RowMac =:= Mac].

%% What is off in TLS 1.2 since OTP 27: CBC, and all that 1.2 has from older versions.
cbc(otp26, 'tlsv1.2') ->
    [Row || {_, _, _, _, _, Mac, _, _} = Row <- defaults(otp25, 'tlsv1.2'), Mac =:= sha384 orelse Mac =:= sha256];
cbc(_, _) ->
    [].

older(otp26, 'tlsv1.2') -> defaults(tlsv1);
older(_, _) -> [].

%% Off by default, and part of `all': RSA with a shared secret, SRP with certificates, RSA key
%% exchange, triple DES, DES, RC4.
weak(Version) ->
    [rsa_psk(Version), srp(Version), rsa(Version), triple_des(), rc4()].

rsa_psk('tlsv1.2') ->
    [{[rsa_psk], [{aes_256_gcm, aead}, {aes_256_cbc, sha384}, {aes_128_gcm, aead},
                  {aes_128_cbc, sha256}, {aes_256_cbc, sha}, {aes_128_cbc, sha},
                  {rc4_128, sha}]}];
rsa_psk('tlsv1.1') ->
    [];
rsa_psk(tlsv1) ->
    [{[rsa_psk], [{aes_256_gcm, aead}, {aes_256_cbc, sha384}, {aes_128_gcm, aead},
                  {aes_128_cbc, sha256}, {aes_256_cbc, sha}, {aes_128_cbc, sha},
                  {'3des_ede_cbc', sha}, {rc4_128, sha}]}].

srp('tlsv1.2') ->
    [{[srp_rsa, srp_dss], [{aes_256_cbc, sha}, {aes_128_cbc, sha}]}];
srp(_) ->
    [{[srp_rsa, srp_dss], [{aes_256_cbc, sha}, {aes_128_cbc, sha}, {'3des_ede_cbc', sha}]}].

rsa('tlsv1.2') ->
    [{[rsa], [{aes_256_gcm, aead}, {aes_256_cbc, sha256}, {aes_128_gcm, aead},
              {aes_128_cbc, sha256}, {aes_256_cbc, sha}, {aes_128_cbc, sha}]}];
rsa(_) ->
    [{[rsa], [{aes_256_cbc, sha}, {aes_128_cbc, sha}]}].

triple_des() ->
    [{[rsa, ecdhe_ecdsa, ecdhe_rsa, dhe_rsa, dhe_dss, ecdh_ecdsa, ecdh_rsa],
      [{'3des_ede_cbc', sha}]},
     {[dhe_rsa, rsa], [{des_cbc, sha}]}].

rc4() ->
    [{[ecdhe_ecdsa, ecdhe_rsa, ecdh_ecdsa, ecdh_rsa, rsa], [{rc4_128, sha}]},
     {[rsa], [{rc4_128, md5}]}].

%% Without a certificate, in OTP's order: shared secrets, Diffie-Hellman without a name, SRP.
unverified('tlsv1.3') ->
    [];
unverified('tlsv1.2') ->
    %% OTP names two of them again.
    Again = [{[ecdhe_psk], [{aes_128_gcm, aead}, {aes_128_ccm_8, aead}]} || profile() =/= r16],
    [{[dhe_psk, psk], [{aes_256_gcm, aead}]},
     {[dhe_psk], [{aes_256_ccm, aead}, {aes_256_ccm_8, aead}]},
     {[psk], [{aes_256_ccm, aead}, {aes_256_ccm_8, aead}]},
     {[ecdhe_psk], [{aes_128_gcm, aead}, {aes_128_ccm, aead}, {aes_128_ccm_8, aead}]},
     {[dhe_psk, psk], [{aes_128_gcm, aead}]}]
        ++ Again ++
    [{[dhe_psk], [{aes_128_ccm, aead}, {aes_128_ccm_8, aead}]},
     {[psk], [{aes_128_ccm, aead}, {aes_128_ccm_8, aead}]},
     {[dh_anon], [{aes_128_gcm, aead}, {aes_256_gcm, aead}, {aes_128_cbc, sha256},
                  {aes_256_cbc, sha256}]},
     {[ecdh_anon], [{aes_128_cbc, sha}, {aes_256_cbc, sha}, {'3des_ede_cbc', sha}]},
     {[dh_anon], [{rc4_128, md5}]}];
unverified('tlsv1.1') ->
    [{[ecdh_anon], [{aes_128_cbc, sha}, {aes_256_cbc, sha}, {'3des_ede_cbc', sha}]},
     {[dh_anon], [{des_cbc, sha}, {rc4_128, md5}]}];
unverified(tlsv1) ->
    %% OTP has RC4 in the place of AES-256 with ECDHE_PSK.
    First = case profile() of
                r16 -> {aes_256_cbc, sha};
                _ -> {rc4_128, sha}
            end,
    [{[ecdhe_psk, dhe_psk, psk], [{aes_256_cbc, sha384}, {aes_128_cbc, sha256}]},
     {[ecdhe_psk], [First]},
     {[dhe_psk, psk], [{aes_256_cbc, sha}]},
     {[ecdhe_psk, dhe_psk, psk], [{aes_128_cbc, sha}, {'3des_ede_cbc', sha}, {rc4_128, sha}]},
     {[dh_anon], [{rc4_128, md5}, {'3des_ede_cbc', sha}, {des_cbc, sha}]},
     {[srp_anon], [{aes_128_cbc, sha}, {aes_256_cbc, sha}, {'3des_ede_cbc', sha}]}].

unique([Row | Rows]) -> [Row | unique([Other || Other <- Rows, Other =/= Row])];
unique([]) -> [].

%% Choosing among suites.

-spec filter([suite()], filters()) -> [suite()].
filter(Suites, Filters) ->
    Chosen = [{Part, proplists:get_value(Part, Filters)}
              || Part <- [key_exchange, cipher, mac, prf]],
    lists:filter(fun(Suite) -> passes(parts(Suite), Chosen) end, Suites).

%% Anything that is no suite has no place in the list.
parts(#{key_exchange := _, cipher := _, mac := _, prf := _} = Suite) -> Suite.

passes(Suite, Filters) ->
    lists:all(fun({_, undefined}) -> true;
                 ({Part, Filter}) -> Filter(maps:get(Part, Suite))
              end, Filters).

-spec prepend([suite()] | filters(), [suite()]) -> [suite()].
prepend(Preferred0, Suites) ->
    Preferred = chosen(Preferred0, Suites),
    Preferred ++ (Suites -- Preferred).

-spec append([suite()] | filters(), [suite()]) -> [suite()].
append(Deferred0, Suites) ->
    Deferred = chosen(Deferred0, Suites),
    (Suites -- Deferred) ++ Deferred.

chosen([Suite | _] = Suites, _) when is_map(Suite) -> Suites;
chosen(Filters, Suites) -> filter(Suites, Filters).

%% Names.

-spec suite_to_str(suite()) -> string().
suite_to_str(#{key_exchange := null, cipher := null, mac := null, prf := null}) -> ?SIGNAL;
suite_to_str(#{key_exchange := _, cipher := _, mac := _} = Suite) -> name(row(Suite)).

-spec suite_to_openssl_str(suite()) -> string().
suite_to_openssl_str(#{key_exchange := null}) -> ?SIGNAL;
suite_to_openssl_str(#{key_exchange := _, cipher := _, mac := _} = Suite) -> openssl_name(row(Suite)).

-spec str_to_suite(string()) -> suite() | {error, {not_recognized, term()}}.
str_to_suite(?SIGNAL) ->
    #{key_exchange => null, cipher => null, mac => null, prf => null};
str_to_suite(Name) ->
    case [Row || Row <- ?SUITES, name(Row) =:= Name orelse openssl_name(Row) =:= Name] of
        [Row | _] -> map(Row);
        [] -> {error, {not_recognized, Name}}
    end.

%% The suite as tuple, as it was told before OTP 20.
-spec old_suite(suite()) -> old_suite().
old_suite(#{key_exchange := KeyExchange, cipher := Cipher, mac := Mac, prf := default_prf}) ->
    {KeyExchange, Cipher, Mac};
old_suite(#{key_exchange := KeyExchange, cipher := Cipher, mac := Mac, prf := Prf}) ->
    {KeyExchange, Cipher, Mac, Prf}.

%% A suite may be named without its PRF, which the rest decides but for AEAD.
row(#{key_exchange := KeyExchange, cipher := Cipher, mac := Mac} = Suite) ->
    known([Row || {_, _, _, RowKx, RowCipher, RowMac, Prf, _} = Row <- ?SUITES,
                  RowKx =:= KeyExchange, RowCipher =:= Cipher, RowMac =:= Mac,
                  Mac =/= aead orelse Prf =:= maps:get(prf, Suite)]).

%% What is no suite has no name.
known([Row]) -> Row.

name({_, Name, _, _, _, _, _, _}) -> Name.
openssl_name({_, _, Name, _, _, _, _, _}) -> Name.

map({_, _, _, KeyExchange, Cipher, Mac, Prf, _}) ->
    #{key_exchange => KeyExchange, cipher => Cipher, mac => Mac, prf => Prf}.

%% Groups and signatures.

-spec eccs() -> [atom()].
eccs() ->
    On = default_groups(profile(), 'tlsv1.2'),
    On ++ (default_groups(otp25, 'tlsv1.2') -- On).

-spec eccs(version()) -> [atom()].
eccs(dtlsv1) ->
    eccs('tlsv1.1');
eccs('dtlsv1.2') ->
    eccs('tlsv1.2');
eccs(Version) when Version =:= 'tlsv1.2'; Version =:= 'tlsv1.1'; Version =:= tlsv1 ->
    default_groups(profile(), 'tlsv1.2').

-spec groups() -> [atom()].
groups() ->
    implemented(case profile() of
                    otp26 -> [x25519, x448, secp521r1, secp384r1, secp256r1, brainpoolP256r1tls13,
                              brainpoolP384r1tls13, brainpoolP512r1tls13];
                    _ -> [x25519, x448, secp256r1, secp384r1, secp521r1]
                end ++ [ffdhe2048, ffdhe3072, ffdhe4096, ffdhe6144, ffdhe8192]).

-spec groups(default) -> [atom()].
groups(default) ->
    default_groups(profile(), 'tlsv1.3').

default_groups(Profile, Version) ->
    {_, Groups} = lists:keyfind({Profile, Version}, 1, ?DEFAULT_GROUPS),
    Groups.

implemented(Names) ->
    [Name || Name <- Names, lists:member(Name, ?GROUPS)].

%% As OTP 26 lists them: schemes of TLS 1.3, pairs of TLS 1.2.
-spec signature_algs(default | all | exclusive, version()) -> [atom() | {atom(), atom()}].
signature_algs(default, 'tlsv1.3') ->
    schemes() ++ pkcs1_schemes() ++ ecdsa_pairs();
signature_algs(all, 'tlsv1.3') ->
    signature_algs(default, 'tlsv1.3')
        ++ [ecdsa_sha1, rsa_pkcs1_sha1, {sha224, ecdsa}, {sha224, rsa}, {sha, dsa}];
signature_algs(exclusive, 'tlsv1.3') ->
    schemes() ++ pkcs1_schemes();
signature_algs(default, 'tlsv1.2') ->
    lists:append([[{Hash, ecdsa}, Pss, Rsae, {Hash, rsa}]
                  || {Hash, Pss, Rsae} <- [{sha512, rsa_pss_pss_sha512, rsa_pss_rsae_sha512},
                                           {sha384, rsa_pss_pss_sha384, rsa_pss_rsae_sha384},
                                           {sha256, rsa_pss_pss_sha256, rsa_pss_rsae_sha256}]]);
signature_algs(Description, 'tlsv1.2') when Description =:= all; Description =:= exclusive ->
    signature_algs(default, 'tlsv1.2')
        ++ [{sha224, ecdsa}, {sha224, rsa}, {sha, ecdsa}, {sha, rsa}, {sha, dsa}];
signature_algs(Description, Version)
  when Description =:= default; Description =:= all; Description =:= exclusive ->
    erlang:error({signature_algs_not_supported_in_protocol_version, Version});
signature_algs(Description, Version) ->
    erlang:error(badarg, [Description, Version]).

schemes() ->
    Brainpool = case profile() of
                    otp26 -> [ecdsa_brainpoolP512r1tls13_sha512, ecdsa_brainpoolP384r1tls13_sha384,
                              ecdsa_brainpoolP256r1tls13_sha256];
                    _ -> []
                end,
    [eddsa_ed25519, eddsa_ed448, ecdsa_secp521r1_sha512, ecdsa_secp384r1_sha384,
     ecdsa_secp256r1_sha256] ++ Brainpool ++ [rsa_pss_pss_sha512, rsa_pss_pss_sha384, rsa_pss_pss_sha256,
     rsa_pss_rsae_sha512, rsa_pss_rsae_sha384, rsa_pss_rsae_sha256].

pkcs1_schemes() ->
    [rsa_pkcs1_sha512, rsa_pkcs1_sha384, rsa_pkcs1_sha256].

ecdsa_pairs() ->
    [{sha512, ecdsa}, {sha384, ecdsa}, {sha256, ecdsa}].

%% Versions.

%% What is on by default (the environment may say which), and what can be named.
-spec versions() -> {Supported :: [atom()], Available :: [atom()]}.
versions() ->
    {_, Default, Available} = lists:keyfind(profile(), 1, ?VERSIONS),
    case application:get_env(ssl_port, protocol_version) of
        {ok, [_ | _] = Versions} ->
            {[Version || Version <- Available, lists:member(Version, Versions)], Available};
        {ok, Version} when is_atom(Version), Version =/= [] ->
            {[Version], Available};
        _ ->
            {Default, Available}
    end.
