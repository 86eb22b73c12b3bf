%% The peers of the matrix: how each is started, which suites and kinds of certificates it has, and how
%% it is server or client of one cell. Those that are programs live through the run; as servers they have every
%% version and suite on, so that the client decides.
-module(interop_peers).

-export([all/0, start/1, stop/1, name/1, title/1, version/1, has_suite/3, has_kind/2]).
-export([serve/2, connect/3, payload/0, options/3]).
-export([port/2, ask/2, free_port/0, openssl_version/1, psk_hex/0]).
-export_type([peer/0]).

-include("interop.hrl").

-define(PAYLOAD, "build/interop/payload").
-define(SUITES, "build/interop/suites.txt").

-define(BEFORE_13, [tlsv1, 'tlsv1.1', 'tlsv1.2']).

-record(peer, {name :: atom(),
               suites = [] :: [string() | {atom(), string()}],
               kinds = [] :: [atom()],
               ports = #{} :: #{atom() | {srp | tls13, atom()} => inet:port_number()},
               names = #{} :: #{0..16#ffff => string()},    % its own names of suites
               programs = [] :: [pid()]}).
-opaque peer() :: #peer{}.

-spec all() -> [atom()].
all() -> [openssl, gnutls, otp, go, java, node_1_0_1, node_1_0_2, node_3_5].

-spec name(peer()) -> atom().
name(#peer{name = Name}) -> Name.

-spec title(atom()) -> string().
title(openssl) -> "OpenSSL 3.0";
title(gnutls) -> "GnuTLS";
title(otp) -> "OTP ssl";
title(go) -> "Go";
title(java) -> "Java";
title(node_1_0_1) -> "OpenSSL 1.0.1";
title(node_1_0_2) -> "OpenSSL 1.0.2";
title(node_3_5) -> "OpenSSL 3.5".

%% What exactly was met.
-spec version(atom()) -> string().
version(openssl) -> first_line("openssl version | cut -d' ' -f1,2");
version(gnutls) -> "GnuTLS " ++ first_line("gnutls-cli --version | sed 's/.* //'");
version(otp) ->
    {ok, Version} = application:get_key(ssl, vsn),
    "OTP " ++ erlang:system_info(otp_release) ++ " (ssl " ++ Version ++ ")";
version(go) -> first_line("go version | cut -d' ' -f3");
version(java) -> first_line("java --version");
version(Node) ->
    first_line(node_js(Node) ++ " -p '\"OpenSSL \" + process.versions.openssl + \" in Node.js \" + process.version'").

first_line(Command) ->
    string:trim(hd(string:split(os:cmd(Command ++ " 2>/dev/null"), "\n"))).

%% --- starting ------------------------------------------------------------------------------------

-spec start(atom()) -> peer() | {absent, string()}.
start(Name) ->
    try start_(Name)
    catch error:Reason -> {absent, lists:flatten(io_lib:format("~0tp", [Reason]))}
    end.

start_(openssl = Name) ->
    Names = openssl_names(),
    start_servers(#peer{name = Name, names = Names, suites = named(maps:keys(Names))}, interop_certificates:kinds(),
                  fun openssl_server/2);
start_(gnutls = Name) ->
    _ = os:cmd("echo " ++ interop_certificates:psk_identity() ++ ":" ++ psk_hex() ++ " > " ++ ca("psk.txt")),
    _ = os:cmd("rm -f " ++ ca("srp.txt") ++ "; srptool --create-conf " ++ ca("srp.conf") ++ "; echo "
               ++ interop_certificates:srp_password() ++ " | srptool --passwd " ++ ca("srp.txt") ++ " --passwd-conf "
               ++ ca("srp.conf") ++ " -u " ++ interop_certificates:srp_user() ++ " -i 3"),
    {match, Rows} = re:run(os:cmd("gnutls-cli --list"), "^TLS_\\S+\\s+0x(..), 0x(..)\\s+TLS(1..)",
                           [global, multiline, {capture, all_but_first, list}]),
    start_servers(#peer{name = Name,
                        suites = lists:append([[{Version, Suite} || Version <- versions(gnutls), "tlsv" ++ First =< since(Version),
                                                                   Suite <- named([list_to_integer(High ++ Low, 16)])]
                                               || [High, Low, First] <- Rows])},
                  interop_certificates:kinds() ++ [{srp, Kind} || Kind <- [rsa, dsa]]
                      ++ [{tls13, Kind} || Kind <- [rsa, rsa_pss, p256, p384, ed25519]], fun gnutls_server/2);
start_(otp = Name) ->
    Suites = [{Version, ssl:suite_to_str(Suite)}
              || Version <- [tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'],
                 Suite <- case Version of
                              'tlsv1.3' -> ssl:cipher_suites(exclusive, Version);
                              _ -> ssl:cipher_suites(all, Version) ++ ssl:cipher_suites(anonymous, Version)
                          end],
    #peer{name = Name, suites = lists:usort(Suites), kinds = interop_certificates:kinds()};
start_(Name) ->
    [Program | Arguments] = case Name of
                                go -> ["build/interop/go_peer"];
                                java -> ["java", "-Djava.security.properties=test/interop/peers/java.security",
                                         "-XX:+UseSerialGC", "-cp", "build/interop", "Peer"];
                                node_1_0_1 -> [node_js(Name), "--enable-ssl3", "test/interop/peers/peer.cjs"];
                                _ -> [node_js(Name), "test/interop/peers/peer.cjs"]
                            end,
    {Pid, Lines} = interop_program:start(Program, Arguments ++ [ca(""), ?SUITES, ?PAYLOAD],
                                         fun(Line) -> Line =:= "ready" end),
    Words = [string:lexemes(Line, " ") || Line <- Lines],
    Ports = maps:from_list([{list_to_atom(Kind), list_to_integer(Port)} || ["kind", Kind, Port] <- Words]),
    #peer{name = Name, suites = [Suite || ["suite", Suite] <- Words], kinds = maps:keys(Ports), ports = Ports,
          programs = [Pid]}.

node_js(Name) ->
    "node_" ++ Release = atom_to_list(Name),
    filename:absname("build/interop/node/node_modules/node-" ++ lists:flatten(string:replace(Release, "_", ".", all))
                     ++ "/bin/node").

start_servers(Peer, Services, Server) ->
    Started = [begin
                   Port = free_port(),
                   [Program | Arguments] = Server(Service, integer_to_list(Port)),
                   {Pid, _} = interop_program:start(Program, Arguments, {listens, Port}),
                   {Service, Port, Pid}
               end || Service <- Services],
    Peer#peer{kinds = interop_certificates:kinds(), ports = maps:from_list([{S, P} || {S, P, _} <- Started]),
              programs = [Pid || {_, _, Pid} <- Started]}.

openssl_server(Kind, Port) ->
    ["openssl", "s_server", "-accept", Port, "-cert", interop_certificates:certificate(Kind),
     "-key", interop_certificates:key(Kind), "-dhparam", ca("dh.pem"), "-psk", psk_hex(),
     "-psk_identity", interop_certificates:psk_identity(), "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
     "-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
     "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256", "-quiet", "-rev"].

%% GnuTLS switches TLS 1.3 off where SRP or obsolete things are on, so these have servers of their own.
gnutls_server({srp, Kind}, Port) ->
    gnutls_server(Kind, Port, ?BEFORE_13, [srp_anon, srp_rsa, srp_dss]);
gnutls_server({tls13, Kind}, Port) ->
    gnutls_server(Kind, Port, ['tlsv1.3'], [any]);
gnutls_server(Kind, Port) ->
    gnutls_server(Kind, Port, ?BEFORE_13, [rsa, dhe_rsa, dhe_dss, ecdhe_rsa, ecdhe_ecdsa, dh_anon, ecdh_anon, psk,
                                           dhe_psk, ecdhe_psk, rsa_psk]).

gnutls_server(Kind, Port, Versions, Kxs) ->
    Ciphers = [aes_128_gcm, aes_256_gcm, aes_128_ccm, aes_256_ccm, aes_128_ccm_8, aes_256_ccm_8, chacha20_poly1305],
    Old = [null, rc4_128, '3des_ede_cbc', aes_128_cbc, aes_256_cbc],
    {AllCiphers, Macs} = case Versions of
                             ['tlsv1.3'] -> {Ciphers, [aead]};
                             _ -> {Old ++ Ciphers, [md5, sha, sha256, sha384, aead]}
                         end,
    ["gnutls-serv", "--echo", "--quiet", "--port", Port, "--x509certfile", interop_certificates:certificate(Kind),
     "--x509keyfile", interop_certificates:key(Kind), "--disable-client-cert", "--dhparams", ca("dh.pem"),
     "--pskpasswd", ca("psk.txt"), "--srppasswd", ca("srp.txt"), "--srppasswdconf", ca("srp.conf"),
     "--priority", gnutls_priority(Versions, Kxs, AllCiphers, Macs)].

-spec stop(peer()) -> ok.
stop(#peer{programs = Programs}) -> lists:foreach(fun interop_program:stop/1, Programs).

%% Where a long-lived program serves certificates of a kind.
-spec port(peer(), atom()) -> inet:port_number().
port(#peer{ports = Ports}, Kind) -> maps:get(Kind, Ports).

%% A line for a long-lived program.
-spec ask(peer(), iodata()) -> ok | {failed, term()}.
ask(#peer{programs = [Program]}, Line) -> interop_program:ask(Program, Line).

-spec free_port() -> inet:port_number().
free_port() ->
    {ok, L} = gen_tcp:listen(0, [{reuseaddr, true}]),
    {ok, Port} = inet:port(L),
    gen_tcp:close(L),
    Port.

%% --- what they have ------------------------------------------------------------------------------

named(Codes) ->
    [Name || #suite{code = Code, name = Name} <- interop_cells:suites(), lists:member(Code, Codes)].

openssl_names() ->
    {match, Rows} = re:run(os:cmd("openssl ciphers -V 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'; "
                                  "openssl ciphers -V -ciphersuites TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256 NONE"),
                           "0x(..),0x(..) - (\\S+)", [global, {capture, all_but_first, list}]),
    maps:from_list([{list_to_integer(High ++ Low, 16), Name} || [High, Low, Name] <- Rows]).

-spec has_suite(peer(), atom(), #suite{}) -> boolean().
has_suite(#peer{name = Peer, suites = Suites}, Version, #suite{name = Name}) when Peer =:= otp; Peer =:= gnutls ->
    lists:member({Version, Name}, Suites);
has_suite(#peer{name = Peer, suites = Suites}, Version, #suite{name = Name}) ->
    lists:member(Name, Suites) andalso lists:member(Version, versions(Peer)).

since(tlsv1) -> "tlsv1.0";
since(Version) -> atom_to_list(Version).

versions(java) -> [sslv3, tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'];
versions(node_1_0_1) -> [sslv3, tlsv1, 'tlsv1.1', 'tlsv1.2'];
versions(node_1_0_2) -> [tlsv1, 'tlsv1.1', 'tlsv1.2'];
versions(_) -> [tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'].

-spec has_kind(peer(), atom()) -> boolean().
has_kind(_, none) -> true;
has_kind(#peer{kinds = Kinds}, Kind) -> lists:member(Kind, Kinds).

%% --- as a server ---------------------------------------------------------------------------------

%% Where a client finds the peer, what comes back for the payload, and how to end.
-spec serve(peer(), #cell{}) -> {inet:port_number(), binary(), fun(() -> ok)}.
serve(#peer{name = otp}, Cell) ->
    {ok, Listener} = ssl:listen(0, options(ssl, server, Cell)),
    {ok, {_, Port}} = ssl:sockname(Listener),
    Size = byte_size(payload()),
    Pid = spawn(fun() ->
                        {ok, T} = ssl:transport_accept(Listener, ?TIMEOUT),
                        {ok, S} = ssl:handshake(T, ?TIMEOUT),
                        {ok, Data} = ssl:recv(S, Size, ?TIMEOUT),
                        ok = ssl:send(S, Data),
                        _ = ssl:recv(S, 0, ?TIMEOUT)
                end),
    {Port, payload(), fun() -> exit(Pid, kill), ssl:close(Listener) end};
serve(#peer{name = Name, ports = Ports}, #cell{version = Version, kind = Kind, suite = Suite}) ->
    Service = case Kind of none -> rsa; _ -> Kind end,
    Special = case {is_srp(Suite), Version} of
                  {true, _} -> srp;
                  {false, 'tlsv1.3'} -> tls13;
                  _ -> none
              end,
    Port = maps:get({Special, Service}, Ports, maps:get(Service, Ports)),
    {Port, back(Name), fun() -> ok end}.

%% `s_server -rev' turns every line round.
back(openssl) ->
    iolist_to_binary([[lists:reverse(binary_to_list(Line)), "\n"]
                      || Line <- binary:split(payload(), <<"\n">>, [global, trim])]);
back(_) ->
    payload().

%% --- as a client ---------------------------------------------------------------------------------

%% The peer verifies the server, sends the payload and expects it back.
-spec connect(peer(), inet:port_number(), #cell{}) -> ok | {failed, term()}.
connect(#peer{name = openssl, names = Names}, Port, #cell{version = Version, suite = Suite}) ->
    Ciphers = case Version of
                  'tlsv1.3' -> ["-ciphersuites", Suite#suite.name];
                  _ -> ["-cipher", maps:get(Suite#suite.code, Names) ++ ":@SECLEVEL=0"]
              end,
    Psk = case is_psk(Suite) of
              true -> ["-psk", psk_hex(), "-psk_identity", interop_certificates:psk_identity()];
              false -> []
          end,
    interop_program:converse("openssl", ["s_client", "-connect", "localhost:" ++ integer_to_list(Port), "-servername",
                                         "localhost", openssl_version(Version), "-CAfile", ca("ca.pem"),
                                         "-verify_return_error", "-quiet" | Ciphers ++ Psk], payload(), payload());
connect(#peer{name = gnutls}, Port, #cell{version = Version, suite = Suite}) ->
    #suite{kx = Kx, cipher = Cipher, mac = Mac} = Suite,
    Secret = case {is_psk(Suite), is_srp(Suite)} of
                 {true, _} -> ["--pskusername", interop_certificates:psk_identity(), "--pskkey", psk_hex()];
                 {_, true} -> ["--srpusername", interop_certificates:srp_user(),
                               "--srppasswd", interop_certificates:srp_password()];
                 _ -> []
             end,
    interop_program:converse("gnutls-cli", ["--port", integer_to_list(Port), "--x509cafile", ca("ca.pem"),
                                            "--logfile=/dev/null", "--priority",
                                            gnutls_priority([Version], [Kx], [Cipher], [Mac]), "localhost" | Secret],
                             payload(), payload());
connect(#peer{name = otp}, Port, Cell) ->
    case ssl:connect("localhost", Port, options(ssl, client, Cell), ?TIMEOUT) of
        {ok, S} ->
            ok = ssl:send(S, payload()),
            Back = ssl:recv(S, byte_size(payload()), ?TIMEOUT),
            ssl:close(S),
            case Back =:= {ok, payload()} of
                true -> ok;
                false -> {failed, Back}
            end;
        {error, Reason} ->
            {failed, Reason}
    end;
connect(Peer, Port, #cell{version = Version, suite = Suite, kind = Kind}) ->
    ask(Peer, io_lib:format("~b ~s ~s ~s", [Port, Version, Suite#suite.name, Kind])).

-spec openssl_version(atom()) -> string().
openssl_version(tlsv1) -> "-tls1";
openssl_version('tlsv1.1') -> "-tls1_1";
openssl_version('tlsv1.2') -> "-tls1_2";
openssl_version('tlsv1.3') -> "-tls1_3".

gnutls_priority(Versions, Kxs, Ciphers, Macs) ->
    lists:flatten(["NONE", [[":+VERS-TLS", string:slice(atom_to_list(V) ++ [".0" || V =:= tlsv1], 4)] || V <- Versions],
                   [[":+", gnutls_kx(Kx)] || Kx <- Kxs], [[":+", gnutls_cipher(C)] || C <- Ciphers],
                   [[":+", case Mac of sha -> "SHA1"; _ -> string:uppercase(atom_to_list(Mac)) end] || Mac <- Macs],
                   ":+COMP-ALL:+SIGN-ALL:+SIGN-DSA-SHA256:+SIGN-DSA-SHA1:+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA1:+GROUP-ALL:+CTYPE-ALL"
                   ":%VERIFY_ALLOW_BROKEN"]).

gnutls_kx(any) -> "ECDHE-RSA:+ECDHE-ECDSA";
gnutls_kx(dh_anon) -> "ANON-DH";
gnutls_kx(ecdh_anon) -> "ANON-ECDH";
gnutls_kx(srp_anon) -> "SRP";
gnutls_kx(Kx) -> dashes(Kx).

gnutls_cipher(rc4_128) -> "ARCFOUR-128";
gnutls_cipher('3des_ede_cbc') -> "3DES-CBC";
gnutls_cipher(Cipher) -> dashes(Cipher).

dashes(Atom) ->
    string:uppercase(string:replace(atom_to_list(Atom), "_", "-", all)).

%% --- options of ssl and of ssl_port ---------------------------------------------------------------

%% The same list for both, but for the names of suites.
-spec options(ssl | ssl_port, client | server, #cell{}) -> [gen_tcp:option() | {atom(), term()}].
options(ssl, server, #cell{suite = #suite{kx = rsa_psk}} = Cell) ->
    %% OTP signs the identity hint of RSA_PSK, for which RFC 4279 section 4 has no signature: it gets none to send.
    lists:keydelete(psk_identity, 1, common_options(ssl, server, Cell));
options(Module, Role, Cell) ->
    common_options(Module, Role, Cell).

common_options(Module, Role, #cell{version = Version, suite = Suite, kind = Kind}) ->
    [binary, {active, false}, {versions, [Version]}, {ciphers, [suite(Module, Suite)]}]
        ++ [{profile, r16} || Module =:= ssl_port, Version =:= sslv3]
        ++ [{signature_algs, [{sha256, dsa}, {sha, dsa}, {sha256, rsa}]} || Kind =:= dsa, Version =:= 'tlsv1.2']
        ++ role_options(Role, Kind)
        ++ secrets(Role, Suite).

suite(ssl, #suite{name = Name}) -> ssl:str_to_suite(Name);
suite(ssl_port, #suite{name = Name}) -> Name.

role_options(server, none) ->
    [{ip, {127, 0, 0, 1}}, {reuseaddr, true}];
role_options(server, Kind) ->
    [{certfile, interop_certificates:certificate(Kind)}, {keyfile, interop_certificates:key(Kind)}
     | role_options(server, none)];
role_options(client, none) ->
    [{verify, verify_none}];
role_options(client, _) ->
    [{verify, verify_peer}, {cacertfile, ca("ca.pem")}].

secrets(Role, Suite) ->
    case {is_psk(Suite), is_srp(Suite)} of
        {true, _} -> [{psk_identity, interop_certificates:psk_identity()}, {user_lookup_fun, {fun lookup/3, none}}];
        {_, true} when Role =:= client ->
            [{srp_identity, {interop_certificates:srp_user(), interop_certificates:srp_password()}}];
        {_, true} -> [{user_lookup_fun, {fun lookup/3, none}}];
        _ -> []
    end.

lookup(psk, _Identity, _) ->
    {ok, interop_certificates:psk()};
lookup(srp, User, _) ->
    Salt = <<"saltsaltsaltsalt">>,
    Inner = crypto:hash(sha, [User, ":", interop_certificates:srp_password()]),
    {ok, {srp_2048, Salt, crypto:hash(sha, [Salt, Inner])}}.

is_psk(#suite{kx = Kx}) -> lists:member(Kx, [psk, dhe_psk, ecdhe_psk, rsa_psk]).
is_srp(#suite{kx = Kx}) -> lists:member(Kx, [srp_anon, srp_rsa, srp_dss]).

-spec psk_hex() -> string().
psk_hex() -> [D || <<Nibble:4>> <= interop_certificates:psk(), D <- string:lowercase(integer_to_list(Nibble, 16))].

ca(Name) -> interop_certificates:file(Name).

%% 100 KB of lines, new in each run; the programs read them from a file.
-spec payload() -> binary().
payload() ->
    case persistent_term:get({?MODULE, payload}, none) of
        none ->
            Payload = iolist_to_binary([[hexadecimal(crypto:strong_rand_bytes(511)), "0\n"] || _ <- lists:seq(1, 100)]),
            ok = file:write_file(?PAYLOAD, Payload),
            persistent_term:put({?MODULE, payload}, Payload),
            Payload;
        Payload ->
            Payload
    end.

hexadecimal(Bytes) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Bytes].
