%% The certificates, keys and other secrets that the matrix meets its peers with, made by `openssl' in
%% build/interop/ca for each run. Every kind has KIND.pem, KIND.key and KIND.p12; `ca.pem' has both roots.
-module(interop_certificates).

-export([make/0, kinds/0, certificate/1, key/1, file/1]).
-export([psk/0, psk_identity/0, srp_user/0, srp_password/0]).

-define(DIR, "build/interop/ca").

%% `ecdh_rsa' is a key on P-256 with a certificate that RSA signed; the other keys on curves have one that
%% ECDSA signed, as ECDH_ECDSA asks for (RFC 4492 section 2).
-spec kinds() -> [atom()].
kinds() -> [rsa, rsa_pss, p256, p384, ed25519, dsa, ecdh_rsa].

-spec certificate(atom()) -> string().
certificate(Kind) -> file(atom_to_list(Kind) ++ ".pem").

-spec key(atom()) -> string().
key(Kind) -> file(atom_to_list(Kind) ++ ".key").

-spec file(string()) -> string().
file(Name) -> filename:join(?DIR, Name).

-spec psk() -> binary().
psk() -> <<16#0123456789abcdef0123456789abcdef:128>>.

-spec psk_identity() -> string().
psk_identity() -> "interop".

-spec srp_user() -> string().
srp_user() -> "interop".

-spec srp_password() -> string().
srp_password() -> "secret".

-spec make() -> ok.
make() ->
    ok = filelib:ensure_dir(file("x")),
    run("openssl dsaparam -out ~s 1024", [file("dsa.parameters")]),
    run("openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out ~s", [file("dh.pem")]),
    authority(ca_rsa, "rsa:2048"),
    authority(ca_ecdsa, "ec -pkeyopt ec_paramgen_curve:P-256"),
    run("cat ~s ~s > ~s", [file("ca_rsa.pem"), file("ca_ecdsa.pem"), file("ca.pem")]),
    lists:foreach(fun leaf/1, kinds()),
    staple().

%% What the authority says of the certificate `rsa' by OCSP, in rsa.ocsp.
staple() ->
    Serial = string:trim(lists:nth(2, string:split(os:cmd("openssl x509 -noout -serial -in " ++ certificate(rsa)), "="))),
    ok = file:write_file(file("index.txt"), ["V\t391231235959Z\t\t", Serial, "\tunknown\t/CN=rsa\n"]),
    run("openssl ocsp -issuer ~s -cert ~s -reqout ~s -no_nonce", [certificate(ca_rsa), certificate(rsa), file("ocsp.req")]),
    run("openssl ocsp -index ~s -rsigner ~s -rkey ~s -CA ~s -reqin ~s -respout ~s -ndays 1",
        [file("index.txt"), certificate(ca_rsa), key(ca_rsa), certificate(ca_rsa), file("ocsp.req"), file("rsa.ocsp")]).

authority(Name, Algorithm) ->
    run("openssl req -x509 -newkey ~s -nodes -days 2 -subj '/CN=~s' -sha256 "
        "-addext keyUsage=critical,keyCertSign,cRLSign -keyout ~s -out ~s",
        [Algorithm, Name, key(Name), certificate(Name)]).

leaf(Kind) ->
    Request = file("leaf.csr"),
    Extensions = file("leaf.ext"),
    ok = file:write_file(Extensions, ["subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
                                      "keyUsage=", usage(Kind), "\n"]),
    Authority = authority(Kind),
    run("openssl req -newkey ~s -nodes -subj '/CN=~s' -keyout ~s -out ~s",
        [algorithm(Kind), Kind, key(Kind), Request]),
    run("openssl x509 -req -sha256 -in ~s -CA ~s -CAkey ~s -CAcreateserial -days 2 -extfile ~s -out ~s",
        [Request, certificate(Authority), key(Authority), Extensions, certificate(Kind)]),
    run("openssl pkcs12 -export -in ~s -inkey ~s -out ~s -passout pass:secret",
        [certificate(Kind), key(Kind), file(atom_to_list(Kind) ++ ".p12")]).

algorithm(rsa) -> "rsa:2048";
algorithm(rsa_pss) -> "rsa-pss -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 "
                          "-pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32";
algorithm(p384) -> "ec -pkeyopt ec_paramgen_curve:P-384";
algorithm(ed25519) -> "ed25519";
algorithm(dsa) -> "dsa:" ++ file("dsa.parameters");
algorithm(_) -> "ec -pkeyopt ec_paramgen_curve:P-256".

authority(Kind) when Kind =:= p256; Kind =:= p384; Kind =:= ed25519 -> ca_ecdsa;
authority(_) -> ca_rsa.

usage(rsa) -> "digitalSignature,keyEncipherment";
usage(Kind) when Kind =:= p256; Kind =:= p384; Kind =:= ecdh_rsa -> "digitalSignature,keyAgreement";
usage(_) -> "digitalSignature".

run(Format, Arguments) ->
    Out = os:cmd(lists:flatten(io_lib:format("( " ++ Format ++ " ) 2>&1 && echo fine", Arguments))),
    case lists:suffix("fine\n", Out) of
        true -> ok;
        false -> error({Format, Out})
    end.
