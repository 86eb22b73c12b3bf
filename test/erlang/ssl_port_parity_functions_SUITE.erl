%% Parity of the functions (§1 of the semantics reference), one case a function at least.
-module(ssl_port_parity_functions_SUITE).

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-compile([export_all, nowarn_export_all]).

-import(ssl_port_parity, [same/2, same/3, sides/2, seen/1]).
-import(ssl_port_test_lib, [pair/1, pair/3, listen/2, close/1]).

suite() ->
    [{timetrap, {minutes, 2}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

init_per_suite(Config) ->
    ssl_port_parity:init_per_suite(Config, []).

end_per_suite(Config) ->
    ssl_port_parity:end_per_suite(Config).

init_per_testcase(Case, Config) ->
    ssl_port_parity:init_per_testcase(?MODULE, Case, Config).

end_per_testcase(_Case, _Config) ->
    ok.

%% S-F17
case_peername_and_sockname(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        {ok, {Address, Port}} = C:peername(A),
        Seen = [{peer_address, Address},
                {ports, {ok, {Address, Port}} =:= S:sockname(B)},
                {back, C:sockname(A) =:= S:peername(B)},
                {of_listener, S:peername(L)}],
        close(P),
        Seen ++ [{closed, {C:peername(A), C:sockname(A)}}]
    end).

%% S-F18, R45
case_peercert(Config) ->
    same(Config, fun(#{server := Certs} = Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        Seen = [{of_server, C:peercert(A) =:= {ok, proplists:get_value(cert, Certs)}},
                {of_client, S:peercert(B)},
                {of_listener, S:peercert(L)}],
        close(P),
        Seen ++ [{closed, C:peercert(A)}]
    end).

%% S-F14, S-E01
case_send(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        Seen = [{iodata, C:send(A, ["he", [$l, <<"l">>], $o])},
                {received, S:recv(B, 5, 5000)},
                {nothing, C:send(A, [])},
                {on_listener, S:send(L, "x")},
                {bad, seen(fun() -> C:send(A, foo) end)}],
        close(P),
        Seen ++ [{closed, C:send(A, "x")}]
    end).

%% S-F15
case_recv(Config) ->
    same(Config, fun(Cfg) ->
        #{c := C, s := S, client_socket := A, server_socket := B, listener := L} = P = pair(Cfg),
        ok = S:send(B, "abcdef"),
        Seen = [{exactly, C:recv(A, 2)},
                {whatever, C:recv(A, 0)},
                {timeout, C:recv(A, 0, 10)},
                {on_listener, S:recv(L, 0)},
                {bad_timeout, seen(fun() -> C:recv(A, 0, foo) end)}],
        close(P),
        Seen ++ [{closed, C:recv(A, 0)}]
    end).
