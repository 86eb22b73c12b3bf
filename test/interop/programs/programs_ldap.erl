%% `eldap' of OTP over TLS, by StartTLS and from the first byte.
-module(programs_ldap).

-include_lib("eldap/include/eldap.hrl").

-export([start/0]).
-compile([export_all, nowarn_export_all]).

-import(programs_cases, [client/1, client/2]).

-define(BASE, "dc=example,dc=org").

start() ->
    {ok, _} = application:ensure_all_started(ssl),
    ok.

open(Server, Config, Options) ->
    eldap:open(["localhost"], [{port, list_to_integer(maps:get(Server, Config))}, {timeout, 20000} | Options]).

start_tls(Server, Config, Tls) ->
    {ok, Ldap} = open(Server, Config, []),
    {Ldap, eldap:start_tls(Ldap, Tls, 20000)}.

case_start_tls_1_2(Config) ->
    {Ldap, ok} = start_tls(ldap, Config, [{versions, ['tlsv1.2']} | client(Config)]),
    all(Ldap, "first").

case_start_tls_1_3(Config) ->
    {Ldap, ok} = start_tls(ldap, Config, [{versions, ['tlsv1.3']} | client(Config)]),
    {error, tls_already_started} = eldap:start_tls(Ldap, client(Config), 20000),
    all(Ldap, "second").

case_ldaps(Config) ->
    {ok, Ldap} = open(ldaps, Config, [{ssl, true}, {sslopts, client(Config)}]),
    all(Ldap, "third").

%% The server holds to it that what follows is under TLS.
case_plain_text_refused(Config) ->
    {ok, Ldap} = open(ldap, Config, []),
    {error, confidentialityRequired} = eldap:simple_bind(Ldap, "cn=admin," ++ ?BASE, "secret"),
    ok = eldap:start_tls(Ldap, client(Config), 20000),
    ok = eldap:simple_bind(Ldap, "cn=admin," ++ ?BASE, "secret"),
    ok = eldap:close(Ldap).

case_client_certificate(Config) ->
    {Ldap, ok} = start_tls(strict, Config, client(with_certificate, Config)),
    all(Ldap, "fourth").

case_client_certificate_ldaps(Config) ->
    {ok, Ldap} = open(strict_ldaps, Config, [{ssl, true}, {sslopts, client(with_certificate, Config)}]),
    all(Ldap, "fifth").

case_client_certificate_missing_1_2(Config) ->
    {_, {error, _}} = start_tls(strict, Config, [{versions, ['tlsv1.2']} | client(Config)]),
    ok.

%% In TLS 1.3 the refusal comes after the handshake.
case_client_certificate_missing_1_3(Config) ->
    case start_tls(strict, Config, [{versions, ['tlsv1.3']} | client(Config)]) of
        {_, {error, _}} -> ok;
        {Ldap, ok} ->
            {error, _} = eldap:simple_bind(Ldap, "cn=admin," ++ ?BASE, "secret"),
            ok
    end.

case_unknown_authority(Config) ->
    {_, {error, _}} = start_tls(ldap, Config, client(of_strangers, Config)),
    {error, _} = open(ldaps, Config, [{ssl, true}, {sslopts, client(of_strangers, Config)}]),
    ok.

%% A directory of 500 people, found, changed and removed again.
all(Ldap, Unit) ->
    ok = eldap:simple_bind(Ldap, "cn=admin," ++ ?BASE, "secret"),
    case eldap:add(Ldap, ?BASE, [{"objectClass", ["dcObject", "organization"]}, {"dc", ["example"]},
                                 {"o", ["Example"]}]) of
        ok -> ok;
        {error, entryAlreadyExists} -> ok
    end,
    Ou = "ou=" ++ Unit ++ "," ++ ?BASE,
    ok = eldap:add(Ldap, Ou, [{"objectClass", ["organizationalUnit"]}, {"ou", [Unit]}]),
    Numbers = lists:seq(1, 500),
    Photo = binary_to_list(binary:copy(<<"0123456789">>, 200)),
    [ok = eldap:add(Ldap, person(N, Ou), [{"objectClass", ["inetOrgPerson"]}, {"cn", [name(N)]},
                                          {"sn", [integer_to_list(N)]}, {"description", [Photo]}])
     || N <- Numbers],
    {ok, #eldap_search_result{entries = Entries}} =
        eldap:search(Ldap, [{base, Ou}, {filter, eldap:present("sn")}]),
    500 = length(Entries),
    [{_, [Photo]} = lists:keyfind("description", 1, E#eldap_entry.attributes) || E <- Entries],
    ok = eldap:modify(Ldap, person(7, Ou), [eldap:mod_replace("sn", ["seven"])]),
    {ok, #eldap_search_result{entries = [Seven]}} =
        eldap:search(Ldap, [{base, Ou}, {filter, eldap:equalityMatch("sn", "seven")}]),
    true = person(7, Ou) =:= Seven#eldap_entry.object_name,
    [ok = eldap:delete(Ldap, person(N, Ou)) || N <- Numbers],
    ok = eldap:delete(Ldap, Ou),
    {error, noSuchObject} = eldap:search(Ldap, [{base, Ou}, {filter, eldap:present("sn")}]),
    ok = eldap:close(Ldap).

person(N, Ou) -> "cn=" ++ name(N) ++ "," ++ Ou.

name(N) -> "person " ++ integer_to_list(N).
