%% Revocation by CRL: `crl_check' and `crl_cache', with the cache modules of OTP's ssl and one of
%% a user's (C11). Every case is run with ssl verifying and with ssl_port verifying, on the same
%% chains and lists in one run, and both sides of the handshake must see the same.
-module(ssl_port_crl_SUITE).

-include_lib("public_key/include/public_key.hrl").

-export([all/0, groups/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, end_per_group/2]).
-compile([export_all, nowarn_export_all]).

%% The cache module of the cases.
-export([lookup/3, select/2, fresh_crl/2]).

-import(ssl_port_test_lib, [alert/1]).

suite() ->
    [{timetrap, {seconds, 120}}].

all() ->
    [{group, client}, {group, server}].

groups() ->
    Cases = [Name || {Name, 1} <- ?MODULE:module_info(exports),
                     lists:prefix("case_", atom_to_list(Name))],
    [{client, [], Cases}, {server, [], Cases}].

init_per_suite(Config) ->
    Before = ssl_port_test_lib:start([{workers, 1}]),
    [{before, Before} | Config].

end_per_suite(Config) ->
    ssl_port_test_lib:stop(proplists:get_value(before, Config)).

%% Which side verifies.
init_per_group(Role, Config) ->
    [{role, Role} | Config].

end_per_group(_Group, _Config) ->
    ok.

%% A user's cache module: a map of lists by what is asked.

lookup(#'DistributionPoint'{distributionPoint = {fullName, [{uniformResourceIdentifier, Uri}]}},
       {rdnSequence, _}, {Lists, []}) ->
    maps:get(Uri, Lists, not_available);
lookup(#'DistributionPoint'{}, _Issuer, {_Lists, []}) ->
    not_available.

select(Issuer, {Lists, []}) ->
    maps:get(Issuer, Lists, []).

fresh_crl(#'DistributionPoint'{}, {Der, #'CertificateList'{}} = Current) ->
    case persistent_term:get({?MODULE, fresh}, #{}) of
        #{Der := New} -> {New, public_key:der_decode('CertificateList', New)};
        #{} -> Current
    end.

%% Cases.

%% What is said of the peer and of the authority, in every mode.
case_user_module(Config) ->
    #{ca := Ca, root := Root} = Pki = pki([]),
    Peer = serial(peer, Pki),
    Sub = serial(ca, Pki),
    Good = #{ca => [crl(Ca, [])], root => [crl(Root, [])]},
    Sets = [#{},
            Good,
            Good#{ca := [crl(Ca, [{Peer, keyCompromise}])]},
            Good#{ca := [crl(Ca, [{Peer, none}])]},
            Good#{ca := [crl(Ca, [{Peer + 1, keyCompromise}])]},
            Good#{root := [crl(Root, [{Sub, cACompromise}])]},
            Good#{root := []},
            Good#{ca := []},
            %% out of date, of another issuer, signed by another key, not a list at all
            Good#{ca := [crl(Ca, [{Peer, keyCompromise}], #{next => -60})]},
            Good#{ca := [crl(Root, [{Peer, keyCompromise}])]},
            Good#{ca := [crl(Ca#{key := maps:get(key, Root)}, [])]},
            %% a second list helps
            Good#{ca := [crl(Ca, [], #{next => -60}), crl(Ca, [{Peer, superseded}])]}],
    same_verdicts(Config, Pki, [true, peer, best_effort], Sets).

case_deltas(Config) ->
    #{ca := Ca, root := Root} = Pki = pki([]),
    Peer = serial(peer, Pki),
    Base = fun(Revoked) -> crl(Ca, Revoked, #{number => 5}) end,
    Delta = fun(Number, Revoked) -> crl(Ca, Revoked, #{number => Number, base => 4}) end,
    Sets = [#{root => [crl(Root, [])], ca => Lists}
            || Lists <- [[Base([]), Delta(6, [])],
                         [Base([]), Delta(6, [{Peer, keyCompromise}])],
                         [Delta(6, [{Peer, keyCompromise}]), Base([])],
                         [Base([{Peer, certificateHold}]), Delta(6, [{Peer, removeFromCRL}])],
                         %% no newer than the base
                         [Base([]), Delta(5, [{Peer, keyCompromise}])],
                         %% alone
                         [Delta(6, [])]]],
    same_verdicts(Config, Pki, [peer], Sets).

%% The lists of distribution points, of part of the reasons, and for authorities only.
case_distribution_points(Config) ->
    Uri = "http://localhost/peer.crl",
    Point = #'DistributionPoint'{distributionPoint = {fullName, [{uniformResourceIdentifier, Uri}]},
                                 reasons = asn1_NOVALUE, cRLIssuer = asn1_NOVALUE},
    #{ca := Ca} = Pki = pki([#'Extension'{extnID = ?'id-ce-cRLDistributionPoints', critical = false,
                                          extnValue = [Point]}]),
    Peer = serial(peer, Pki),
    Idp = fun(More) ->
                  maps:fold(fun(K, V, Acc) -> setelement(K, Acc, V) end,
                            #'IssuingDistributionPoint'{
                               distributionPoint =
                                   {fullName, [{uniformResourceIdentifier, Uri}]}}, More)
          end,
    Revoked = [{Peer, keyCompromise}],
    Sets = [#{uri => [crl(Ca, [])]},
            #{uri => [crl(Ca, Revoked)]},
            #{uri => [crl(Ca, [], #{idp => Idp(#{})})]},
            #{uri => [crl(Ca, Revoked, #{idp => Idp(#{})})]},
            %% the point's lists say nothing, those of the issuer do
            #{uri => [], ca => [crl(Ca, Revoked)]},
            #{uri => [], ca => [crl(Ca, [])]},
            #{uri => [crl(Ca, [], #{next => -60})], ca => [crl(Ca, [])]},
            #{uri => [crl(Ca, [], #{idp => Idp(#{#'IssuingDistributionPoint'.onlyContainsCACerts => true})})]},
            #{uri => [crl(Ca, [], #{idp => Idp(#{#'IssuingDistributionPoint'.onlyContainsUserCerts => true})})]},
            #{uri => [crl(Ca, [], #{idp => Idp(#{#'IssuingDistributionPoint'.onlySomeReasons => [keyCompromise]})})]},
            #{uri => [crl(Ca, Revoked, #{idp => Idp(#{#'IssuingDistributionPoint'.onlySomeReasons => [keyCompromise]})})]}],
    same_verdicts(Config, Pki, [peer], [maps:put(name, Uri, Set) || Set <- Sets]).

%% fresh_crl/2 is asked for a successor.
case_fresh_crl(Config) ->
    #{ca := Ca} = Pki = pki([]),
    Peer = serial(peer, Pki),
    Old = crl(Ca, [], #{next => -60}),
    Older = crl(Ca, [], #{next => -120}),
    persistent_term:put({?MODULE, fresh}, #{Old => crl(Ca, [{Peer, keyCompromise}]), Older => crl(Ca, [])}),
    same_verdicts(Config, Pki, [peer], [#{ca => [Old]}, #{ca => [Older]}]),
    true = persistent_term:erase({?MODULE, fresh}).

%% ssl_crl_cache, whose tables are those of the ssl application.
case_ssl_crl_cache(Config) ->
    #{ca := Ca, root := Root} = Pki = pki([]),
    Peer = serial(peer, Pki),
    Cache = [{crl_cache, {ssl_crl_cache, {internal, []}}}],
    [begin
         Inserted = [crl(Root, []) | Lists],
         ok = ssl_crl_cache:insert({der, Inserted}),
         same(Config, Pki, [{crl_check, true} | More]),
         ok = ssl_crl_cache:delete({der, Inserted})
     end || Lists <- [[], [crl(Ca, [])], [crl(Ca, [{Peer, keyCompromise}])]], More <- [[], Cache]].

%% Lists by the URL they were inserted for.
case_ssl_crl_cache_uri(Config) ->
    Uri = "http://localhost/here/peer.crl",
    Point = #'DistributionPoint'{distributionPoint = {fullName, [{uniformResourceIdentifier, Uri}]},
                                 reasons = asn1_NOVALUE, cRLIssuer = asn1_NOVALUE},
    #{ca := Ca} = Pki = pki([#'Extension'{extnID = ?'id-ce-cRLDistributionPoints', critical = false,
                                          extnValue = [Point]}]),
    Peer = serial(peer, Pki),
    [begin
         ok = ssl_crl_cache:insert(Uri, {der, [List]}),
         same(Config, Pki, [{crl_check, peer}]),
         ok = ssl_crl_cache:delete(Uri)
     end || List <- [crl(Ca, []), crl(Ca, [{Peer, keyCompromise}])]].

case_ssl_crl_hash_dir(Config) ->
    #{ca := #{name := Name} = Ca} = Pki = pki([]),
    Peer = serial(peer, Pki),
    Dir = filename:join(proplists:get_value(priv_dir, Config), "crls"),
    File = filename:join(Dir, public_key:short_name_hash(public_key:pkix_normalize_name(Name)) ++ ".r0"),
    ok = filelib:ensure_dir(File),
    Options = [{crl_check, peer}, {crl_cache, {ssl_crl_hash_dir, {internal, [{dir, Dir}]}}}],
    same(Config, Pki, Options),
    [begin
         ok = file:write_file(File, public_key:pem_encode([{'CertificateList', List, not_encrypted}])),
         same(Config, Pki, Options)
     end || List <- [crl(Ca, []), crl(Ca, [{Peer, keyCompromise}])]],
    ok = file:delete(File).

%% A module that crashes ends that handshake alone.
case_bad_module(Config) ->
    Pki = pki([]),
    {{error, _}, _} = handshake(Config, ssl_port, Pki,
                                [{crl_check, peer}, {crl_cache, {no_such_module, {#{}, []}}}]),
    {{ok, _}, _} = handshake(Config, ssl_port, Pki, [{crl_check, false}]).

%% The text of the alert says which certificate, why and since when.
case_words(Config) ->
    #{ca := Ca, root := Root} = Pki = pki([]),
    Says = fun(Mode, Lists, Alert, Patterns) ->
               Text = words(Config, Pki, Alert, [{crl_check, Mode}, {crl_cache, {?MODULE, {cache(Pki, Lists), []}}}]),
               [match = re:run(Text, Pattern, [{capture, none}]) || Pattern <- Patterns]
           end,
    Says(peer, #{ca => [crl(Ca, [{serial(peer, Pki), keyCompromise}])]}, certificate_revoked,
         ["the certificate is revoked", "certificate 0 \\(the peer's own\\) \"", "keyCompromise since 20\\d\\d-"]),
    Says(true, #{ca => [crl(Ca, [])], root => [crl(Root, [{serial(ca, Pki), cACompromise}])]}, certificate_revoked,
         ["certificate 1 \\(an issuer\\) \"", "cACompromise since 20\\d\\d-"]),
    Says(peer, #{}, bad_certificate,
         ["not known whether the certificate is revoked", "certificate 0 ", "found no CRL"]),
    Says(peer, #{ca => [crl(Ca, [], #{next => -60})]}, bad_certificate, ["CRLs that do not count: outdated"]).

%% Both verdicts, for every mode and set of lists.

same_verdicts(Config, Pki, Modes, Sets) ->
    Seen = [same(Config, Pki, [{crl_check, Mode}, {crl_cache, {?MODULE, {cache(Pki, Set), []}}}])
            || Mode <- Modes, Set <- Sets],
    %% (a comparison of nothing but the like would prove little)
    length(lists:usort(Seen)) > 1 orelse ct:fail({all_alike, hd(Seen)}).

cache(#{ca := #{name := Ca}, root := #{name := Root}}, Set) ->
    %% as public_key:pkix_dist_point/1 writes the issuer
    Key = fun(Name) -> public_key:pkix_normalize_name(pubkey_cert_records:transform(Name, encode)) end,
    Named = #{Key(Ca) => maps:get(ca, Set, []), Key(Root) => maps:get(root, Set, [])},
    case Set of
        #{uri := [], name := _} -> Named;
        #{uri := Lists, name := Uri} -> Named#{Uri => Lists};
        #{} -> Named
    end.

same(Config, Pki, Options) ->
    Expected = handshake(Config, ssl, Pki, Options),
    case handshake(Config, ssl_port, Pki, Options) of
        Expected -> Expected;
        Got -> ct:fail({Options, ssl, Expected, ssl_port, Got})
    end.

%% What the side that verifies, which is ssl_port, says of its alert.
words(Config, Pki, Alert, Options) ->
    {ClientSees, ServerSees} = handshake(Config, ssl_port, Pki, Options, fun(_, Result) -> Result end),
    {error, {tls_alert, {Alert, Text}}} = case proplists:get_value(role, Config) of
                                              client -> ClientSees;
                                              server -> ServerSees
                                          end,
    Text.

%% What both sides see: the one that verifies is Module, the other is ssl.
handshake(Config, Module, Pki, Options) ->
    handshake(Config, Module, Pki, Options, fun outcome/2).

handshake(Config, Module, #{cacerts := Roots, identity := Identity}, Options, Outcome) ->
    {Server, ServerOptions, Client, ClientOptions} =
        case proplists:get_value(role, Config) of
            client ->
                {ssl, Identity, Module, [{verify, verify_peer}, {cacerts, Roots} | Options]};
            server ->
                {Module, Identity ++ [{verify, verify_peer}, {fail_if_no_peer_cert, true},
                                      {cacerts, Roots} | Options],
                 ssl, [{verify, verify_none} | Identity]}
        end,
    {ok, L} = Server:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}, {log_level, none},
                                {versions, ['tlsv1.2']} | ServerOptions]),
    {ok, {_, Port}} = Server:sockname(L),
    {Pid, Monitor} =
        spawn_monitor(fun() ->
                              {ok, T} = Server:transport_accept(L, 10000),
                              Result = Server:handshake(T, 10000),
                              exit(Outcome(Server, Result))
                      end),
    ClientSees = Outcome(Client, Client:connect({127, 0, 0, 1}, Port,
                                                [{active, false}, {log_level, none},
                                                 {versions, ['tlsv1.2']}, {reuse_sessions, false},
                                                 {server_name_indication, disable}
                                                 | ClientOptions], 10000)),
    receive
        {'DOWN', Monitor, process, Pid, ServerSees} ->
            ok = Server:close(L),
            {ClientSees, ServerSees}
    end.

outcome(Module, {ok, Socket}) ->
    _ = Module:close(Socket),
    {ok, connected};
outcome(_Module, Error) ->
    alert(Error).

%% Certificates and lists.

pki(PeerExtensions) ->
    Key = fun() -> public_key:generate_key({namedCurve, secp256r1}) end,
    [RootKey, CaKey] = [Key(), Key()],
    Names = #'Extension'{extnID = ?'id-ce-subjectAltName', critical = false,
                         extnValue = [{dNSName, "localhost"}]},
    #{server_config := Config} =
        public_key:pkix_test_data(
          #{server_chain => #{root => [{key, RootKey}, {digest, sha256}],
                              intermediates => [[{key, CaKey}, {digest, sha256}]],
                              peer => [{key, Key()}, {digest, sha256},
                                       {extensions, [Names | PeerExtensions]}]},
            client_chain => #{root => [], intermediates => [], peer => []}}),
    [Peer] = [Der || {cert, Der} <- Config],
    %% the server's own chain is in its cacerts: its root last
    Cas = proplists:get_value(cacerts, Config),
    Decoded = [public_key:pkix_decode_cert(Der, otp) || Der <- [Peer | Cas]],
    Issuer = fun(Cert) -> (Cert#'OTPCertificate'.tbsCertificate)#'OTPTBSCertificate'.issuer end,
    Subject = fun(Cert) -> (Cert#'OTPCertificate'.tbsCertificate)#'OTPTBSCertificate'.subject end,
    CaName = Issuer(hd(Decoded)),
    [{CaDer, CaCert}] = [{Der, Cert} || {Der, Cert} <- lists:zip([Peer | Cas], Decoded),
                                        Subject(Cert) =:= CaName],
    RootName = Issuer(CaCert),
    RootDer = root(RootKey, RootName),
    #{ca => #{name => CaName, key => CaKey, der => CaDer},
      root => #{name => RootName, key => RootKey},
      peer => Peer,
      cacerts => [RootDer],
      identity => [{cert, [Peer, CaDer]}, {key, proplists:get_value(key, Config)}]}.

%% The root of the server's chain is trusted by the client alone; it is made again here.
root(#'ECPrivateKey'{parameters = Parameters, publicKey = Public} = Key, Name) ->
    Year = fun(Shift) ->
                   {{Y, _, _}, _} = calendar:universal_time(),
                   {generalTime, lists:flatten(io_lib:format("~4..0b0101000000Z", [Y + Shift]))}
           end,
    Tbs = #'OTPTBSCertificate'{
             version = v3, serialNumber = 1,
             signature = #'SignatureAlgorithm'{algorithm = ?'ecdsa-with-SHA256'},
             issuer = Name, subject = Name,
             validity = #'Validity'{notBefore = Year(-1), notAfter = Year(5)},
             subjectPublicKeyInfo =
                 #'OTPSubjectPublicKeyInfo'{
                    algorithm = #'PublicKeyAlgorithm'{algorithm = ?'id-ecPublicKey',
                                                      parameters = Parameters},
                    subjectPublicKey = #'ECPoint'{point = Public}},
             extensions = [#'Extension'{extnID = ?'id-ce-basicConstraints', critical = true,
                                        extnValue = #'BasicConstraints'{cA = true}},
                           #'Extension'{extnID = ?'id-ce-keyUsage', critical = true,
                                        extnValue = [keyCertSign, cRLSign]}]},
    public_key:pkix_sign(Tbs, Key).

serial(peer, #{peer := Der}) -> serial(Der);
serial(ca, #{ca := #{der := Der}}) -> serial(Der).

serial(Der) ->
    Cert = public_key:pkix_decode_cert(Der, otp),
    (Cert#'OTPCertificate'.tbsCertificate)#'OTPTBSCertificate'.serialNumber.

crl(Issuer, Revoked) ->
    crl(Issuer, Revoked, #{}).

%% A list of what Issuer revoked; Options: when the next comes (seconds from now), its number,
%% the base of a delta, the issuing distribution point.
crl(#{name := Name, key := Key}, Revoked, Options) ->
    Algorithm = #'AlgorithmIdentifier'{algorithm = ?'ecdsa-with-SHA256', parameters = asn1_NOVALUE},
    Tbs = #'TBSCertList'{version = v2, signature = Algorithm,
                         issuer = pubkey_cert_records:transform(Name, encode),
                         thisUpdate = time(-7200), nextUpdate = time(maps:get(next, Options, 3600)),
                         revokedCertificates = revoked(Revoked),
                         crlExtensions = extensions(Options)},
    {ok, TbsDer} = 'OTP-PUB-KEY':encode('TBSCertList', Tbs),
    public_key:der_encode('CertificateList',
                          #'CertificateList'{tbsCertList = Tbs, signatureAlgorithm = Algorithm,
                                             signature = public_key:sign(TbsDer, sha256, Key)}).

revoked([]) ->
    asn1_NOVALUE;
revoked(Revoked) ->
    [#'TBSCertList_revokedCertificates_SEQOF'{
        userCertificate = Serial, revocationDate = time(-3600),
        crlEntryExtensions = case Reason of
                                 none -> asn1_NOVALUE;
                                 _ -> [extension(?'id-ce-cRLReasons', 'CRLReason', Reason, false)]
                             end} || {Serial, Reason} <- Revoked].

extensions(Options) ->
    Number = maps:get(number, Options, 1),
    [extension(?'id-ce-cRLNumber', 'CRLNumber', Number, false)]
        ++ [extension(?'id-ce-deltaCRLIndicator', 'BaseCRLNumber', Base, true)
            || {base, Base} <- maps:to_list(Options)]
        ++ [extension(?'id-ce-issuingDistributionPoint', 'IssuingDistributionPoint', Idp, true)
            || {idp, Idp} <- maps:to_list(Options)].

extension(Id, Type, Value, Critical) ->
    {ok, Der} = 'OTP-PUB-KEY':encode(Type, Value),
    #'Extension'{extnID = Id, critical = Critical, extnValue = Der}.

time(Shift) ->
    Seconds = calendar:datetime_to_gregorian_seconds(calendar:universal_time()) + Shift,
    {{Y, Mo, D}, {H, Mi, S}} = calendar:gregorian_seconds_to_datetime(Seconds),
    {utcTime, lists:flatten(io_lib:format("~2..0b~2..0b~2..0b~2..0b~2..0b~2..0bZ",
                                          [Y rem 100, Mo, D, H, Mi, S]))}.
