%% Certificate chains, good ones and bad ones, each with what is wrong in it. Keys and
%% certificates are made on the spot; the peer's own certificate is for localhost.
-module(ssl_port_test_chains).

-include_lib("public_key/include/public_key.hrl").

-export([names/0, make/1, options/1, hierarchy/0, issue/3, root/1]).

-define(DAY, 86400).
%% An extension that nobody processes.
-define(UNKNOWN, {1, 3, 6, 1, 4, 1, 99999, 7}).

%% What is made: the chain as it is sent, the key, and the roots that the other side trusts.
-type chain() :: #{chain := [binary()], key := {atom(), binary()}, roots := [binary()]}.

names() ->
    [good, deep, expired, future, expired_issuer, expired_root, unknown_ca, unknown_ca_no_issuer,
     selfsigned_peer, selfsigned_trusted, bad_signature, bad_issuer_signature, invalid_issuer,
     named_root, named_root_of_peer,
     other_host, no_ca, ca_without_key_usage, wrong_purpose, unknown_critical,
     unknown_extension, too_deep, name_not_permitted].

-spec make(atom()) -> chain().
make(good) -> chain([root([]), ca([]), leaf([])]);
make(deep) -> chain([root([]), ca([]), ca([]), leaf([])]);
make(expired) -> chain([root([]), ca([]), leaf([{days, {-20, -10}}])]);
make(future) -> chain([root([]), ca([]), leaf([{days, {10, 20}}])]);
make(expired_issuer) -> chain([root([]), ca([{days, {-20, -10}}]), leaf([])]);
make(expired_root) -> chain([root([{days, {-20, -10}}]), ca([]), leaf([])]);
make(unknown_ca) ->
    (make(good))#{roots := maps:get(roots, make(good))};
make(unknown_ca_no_issuer) ->
    #{chain := [Leaf | _]} = Chain = make(unknown_ca),
    Chain#{chain := [Leaf]};
make(selfsigned_peer) ->
    Other = make(good),
    #{der := Der, key := Key} = root(leaf([])),
    #{chain => [Der], key => key(Key), roots => maps:get(roots, Other)};
make(selfsigned_trusted) ->
    #{chain := [Der]} = Chain = make(selfsigned_peer),
    Chain#{roots := [Der]};
make(bad_signature) ->
    #{chain := [Leaf | Rest]} = Chain = make(good),
    Chain#{chain := [break(Leaf) | Rest]};
make(bad_issuer_signature) ->
    #{chain := [Leaf, Ca]} = Chain = make(good),
    Chain#{chain := [Leaf, break(Ca)]};
make(invalid_issuer) ->
    %% A stranger's root of the same name and serial number as the trusted one.
    #{der := Trusted} = root([{cn, "Same"}, {serial, 77}]),
    [Root | _] = All = issue_all([root([{cn, "Same"}, {serial, 77}]), ca([]), leaf([])]),
    #{key := Key} = lists:last(All),
    #{chain => lists:reverse([Der || #{der := Der} <- tl(All)]) ++ [maps:get(der, Root)],
      key => key(Key), roots => [Trusted]};
make(named_root) ->
    named_root([root([{cn, "Known"}]), ca([{issuer_serial, {"Known", 78}}]), leaf([])]);
make(named_root_of_peer) ->
    named_root([root([{cn, "Known"}]), leaf([{issuer_serial, {"Known", 78}}])]);
make(other_host) -> chain([root([]), ca([]), leaf([{names, [{dNSName, "example.org"}]}])]);
make(no_ca) -> chain([root([]), ca([{ca, false}]), leaf([])]);
make(ca_without_key_usage) -> chain([root([]), ca([{usage, [digitalSignature]}]), leaf([])]);
make(wrong_purpose) -> chain([root([]), ca([]), leaf([{purpose, [?'id-kp-emailProtection']}])]);
make(unknown_critical) -> chain([root([]), ca([]), leaf([{unknown, true}])]);
make(unknown_extension) -> chain([root([]), ca([{unknown, false}]), leaf([{unknown, false}])]);
make(too_deep) -> chain([root([]), ca([{ca, 0}]), ca([]), leaf([])]);
make(name_not_permitted) ->
    chain([root([]), ca([{permitted, [{dNSName, "example.org"}]}]), leaf([])]).

%% The options of the side that has the chain.
options(#{chain := Chain, key := Key}) ->
    [{cert, Chain}, {key, Key}].

%% A root, its intermediate and a leaf.
hierarchy() ->
    issue_all([root([]), ca([]), leaf([])]).

chain(Specs) ->
    [#{der := Root} | _] = All = issue_all(Specs),
    #{key := Key} = lists:last(All),
    #{chain => lists:reverse([Der || #{der := Der} <- tl(All)]), key => key(Key), roots => [Root]}.

%% A trusted root did not sign what names it, by its serial number too, as its issuer.
named_root(Specs) ->
    #{der := Trusted} = root([{cn, "Known"}, {serial, 78}]),
    (chain(Specs))#{roots := [Trusted]}.

issue_all([Root | Specs]) ->
    {Issued, _} = lists:mapfoldl(fun(Spec, Issuer) ->
                                         Made = issue(Issuer, Spec, new_key()),
                                         {Made, Made}
                                 end, Root, Specs),
    [Root | Issued].

%% Specifications.

root(Spec0) ->
    Key = new_key(),
    Spec = Spec0 ++ [{cn, "Root " ++ unique()}, {ca, true}, {usage, [keyCertSign, cRLSign]}],
    issue(#{subject => subject(Spec), key => Key}, Spec, Key).

ca(Spec) ->
    Spec ++ [{cn, "Authority " ++ unique()}, {ca, true}, {usage, [keyCertSign, cRLSign]}].

leaf(Spec) ->
    Spec ++ [{cn, "localhost"}, {usage, [digitalSignature]},
             {purpose, [?'id-kp-serverAuth', ?'id-kp-clientAuth']},
             {names, [{dNSName, "localhost"}]}].

unique() ->
    integer_to_list(erlang:unique_integer([positive])).

new_key() ->
    public_key:generate_key({namedCurve, secp256r1}).

key(Key) ->
    {'ECPrivateKey', public_key:der_encode('ECPrivateKey', Key)}.

%% Certificates.

issue(#{subject := Issuer, key := IssuerKey}, Spec, #'ECPrivateKey'{publicKey = Point} = Key) ->
    Curve = {namedCurve, ?secp256r1},
    Info = #'OTPSubjectPublicKeyInfo'{
              algorithm = #'PublicKeyAlgorithm'{algorithm = ?'id-ecPublicKey',
                                                parameters = Curve},
              subjectPublicKey = #'ECPoint'{point = Point}},
    Tbs = #'OTPTBSCertificate'{
             version = v3,
             serialNumber = value(serial, Spec, erlang:unique_integer([positive])),
             signature = #'SignatureAlgorithm'{algorithm = ?'ecdsa-with-SHA256'},
             issuer = Issuer,
             validity = validity(value(days, Spec, {-1, 30})),
             subject = subject(Spec),
             subjectPublicKeyInfo = Info,
             extensions = extensions(Spec)},
    #{subject => subject(Spec), key => Key, der => public_key:pkix_sign(Tbs, IssuerKey)}.

value(Name, Spec, Default) ->
    proplists:get_value(Name, Spec, Default).

subject(Spec) ->
    {rdnSequence, [[#'AttributeTypeAndValue'{type = ?'id-at-commonName',
                                             value = {utf8String, list_to_binary(value(cn, Spec, "x"))}}]]}.

validity({From, To}) ->
    #'Validity'{notBefore = time(From), notAfter = time(To)}.

time(Days) ->
    {{Y, Mo, D}, {H, Mi, S}} =
        calendar:system_time_to_universal_time(erlang:system_time(second) + Days * ?DAY, second),
    {utcTime, lists:flatten(io_lib:format("~2..0b~2..0b~2..0b~2..0b~2..0b~2..0bZ",
                                          [Y rem 100, Mo, D, H, Mi, S]))}.

extensions(Spec) ->
    [extension(Option) || Option <- sorted(Spec)].

%% In one order, and the first of each name.
sorted(Spec) ->
    [lists:keyfind(Name, 1, Spec) || Name <- [ca, usage, unknown, permitted, purpose, names, issuer_serial],
                                     lists:keymember(Name, 1, Spec)]
        ++ [{key_id, value(cn, Spec, "x")}].

extension({ca, false}) ->
    of_id(?'id-ce-basicConstraints', true, #'BasicConstraints'{cA = false});
extension({ca, PathLength}) ->
    of_id(?'id-ce-basicConstraints', true,
         #'BasicConstraints'{cA = true, pathLenConstraint = case PathLength of
                                                                true -> asn1_NOVALUE;
                                                                _ -> PathLength
                                                            end});
extension({usage, Usage}) -> of_id(?'id-ce-keyUsage', true, Usage);
extension({unknown, Critical}) -> of_id(?UNKNOWN, Critical, <<4, 1, 7>>);
extension({permitted, Names}) ->
    of_id(?'id-ce-nameConstraints', true,
         #'NameConstraints'{permittedSubtrees = [#'GeneralSubtree'{base = N, minimum = 0} || N <- Names],
                            excludedSubtrees = asn1_NOVALUE});
extension({purpose, Purposes}) -> of_id(?'id-ce-extKeyUsage', false, Purposes);
extension({names, Names}) -> of_id(?'id-ce-subjectAltName', false, Names);
extension({issuer_serial, {Name, Serial}}) ->
    of_id(?'id-ce-authorityKeyIdentifier', false,
         #'AuthorityKeyIdentifier'{authorityCertIssuer = [{directoryName, subject([{cn, Name}])}],
                                   authorityCertSerialNumber = Serial});
extension({key_id, Name}) -> of_id(?'id-ce-subjectKeyIdentifier', false, crypto:hash(sha, Name)).

of_id(Id, Critical, Value) ->
    #'Extension'{extnID = Id, critical = Critical, extnValue = Value}.

%% Another signature than the right one.
break(Der) ->
    #'Certificate'{tbsCertificate = Tbs, signatureAlgorithm = A} =
        public_key:der_decode('Certificate', Der),
    Bad = public_key:sign(<<"something else">>, sha256, new_key()),
    public_key:der_encode('Certificate', #'Certificate'{tbsCertificate = Tbs, signatureAlgorithm = A,
                                                        signature = Bad}).
