%%% @private
%%% Transports as ssl calls them (option `cb_info'): which of them a call wants and what of its
%%% options is theirs, and the calls on a socket of any of them. `gen_tcp' keeps its options,
%%% names and statistics in `inet'; any other module has everything itself, and its sockets may
%%% be any term.
-module(ssl_port_transport).

%% Options.
-export([choose/2]).
-export([split/1]).
-export([is_socket_option/1]).
-export([tls_names/0]).

%% Sockets.
-export([connect/5]).
-export([listen/3]).
-export([accept/3]).
-export([controlling_process/3]).
-export([send/3]).
-export([shutdown/3]).
-export([close/2]).
-export([setopts/3]).
-export([getopts/3]).
-export([getstat/3]).
-export([peername/2]).
-export([sockname/2]).
-export([may_be_socket/2]).
-export([not_owner/1]).
-export([internal_options/0]).

-export_type([cb_info/0]).

-type cb_info() :: {Module :: module(), Data :: atom(), Closed :: atom(), Error :: atom(),
                    Passive :: atom()}.

-define(DEFAULT, {gen_tcp, tcp, tcp_closed, tcp_error, tcp_passive}).

%% The options of TLS: those of src/ssl/options/tls_options.ts. Whatever is no name of these,
%% and not emulated, belongs to the transport, as in ssl (A-O41).
-define(TLS,
        [protocol, versions, ciphers, eccs, supported_groups, signature_algs,
         signature_algs_cert, honor_cipher_order, honor_ecc_order, min_dh_bits,
         encrypt_then_mac, record_size_limit, certificate_compression, handshake,
         max_handshake_size, max_fragment_length, middlebox_comp_mode, key_update_at,
         fallback, padding_check, beast_mitigation, cert, certfile, key, keyfile, password,
         certs_keys, verify, cacerts, cacertfile, depth, fail_if_no_peer_cert,
         server_name_indication, verify_fun, partial_chain, customize_hostname_check,
         certificate_authorities, post_handshake_auth, crl_check, crl_cache, ocsp_stapling,
         ocsp_nonce, ocsp_responder_certs, ocsp_response, stapling, status_request,
         alpn_advertised_protocols, alpn_preferred_protocols, next_protocols_advertised,
         client_preferred_next_protocols, reuse_sessions, reuse_session,
         tls12_session_tickets, secure_renegotiate, renegotiate_at, client_renegotiation,
         session_tickets, use_ticket, early_data, anti_replay, stateless_tickets_seed, cookie,
         sni_hosts, sni_fun, psk_identity, srp_identity, user_lookup_fun, psks, psk_modes, dh,
         dhfile, cb_info, log_level, log_alert, keep_secrets, hibernate_after,
         receiver_spawn_opts, sender_spawn_opts, erl_dist, ktls, ssl_imp, profile,
         cert_policy_opts, allow_any_ca_purpose, renegotiate, transport]).

%% The options that ssl emulates, and those of the transport that the engine has to know
%% or to keep itself.
-define(EMULATED, [mode, packet, active, header, packet_size]).
-define(KEPT, [send_timeout, send_timeout_close]).
-define(SHARED, [exit_on_close]).

%% The options of the transport that a socket of Node.js can have.
-define(NODE,
        [nodelay, keepalive, reuseaddr, ip, ifaddr, ipv6_v6only, port, backlog, buffer,
         delay_send, high_watermark, low_watermark]).

%% Options.

%% Who is to own the socket of a connect or listen: the BEAM wherever a socket of Node.js
%% could not be what was asked for.
-spec choose(term(), [term()]) -> node | inet | {error, term()}.
choose(Host, Options) ->
    case cb_info(Options) of
        {ok, ?DEFAULT} ->
            Default = application:get_env(ssl_port, transport, node),
            case proplists:get_value(transport, Options, Default) of
                inet -> inet;
                node -> of_options(Host, Options);
                Other -> {error, {options, {transport, Other}}}
            end;
        {ok, _} ->
            inet;
        Error ->
            Error
    end.

of_options({local, _}, _Options) -> inet;
of_options(_Host, Options) ->
    case lists:all(fun of_node/1, Options) of
        true -> node;
        false -> inet
    end.

of_node({Name, {local, _}}) when Name =:= ip; Name =:= ifaddr -> false;
of_node({Name, _}) ->
    lists:member(Name, ?NODE) orelse is_ours(Name) orelse lists:member(Name, ?SHARED);
of_node(Option) -> not is_tuple(Option).

is_ours(Name) ->
    lists:member(Name, ?TLS) orelse lists:member(Name, ?EMULATED) orelse lists:member(Name, ?KEPT).

%% Whether setopts and getopts leave the option to the engine.
-spec is_socket_option(term()) -> boolean().
is_socket_option(Name) ->
    lists:member(Name, ?EMULATED) orelse lists:member(Name, ?KEPT).

-spec tls_names() -> [atom()].
tls_names() ->
    ?TLS.

%% What of the options is whose: the transport, the engine's options, the transport's (in
%% the order in which ssl gives them to it).
-spec split([term()]) -> {ok, cb_info(), [term()], [term()]} | {error, term()}.
split(Options) ->
    case cb_info(Options) of
        {ok, Info} ->
            {Ours, Theirs} = lists:foldl(fun split/2, {[], []}, Options),
            {ok, Info, lists:reverse(Ours), Theirs};
        Error ->
            Error
    end.

split({Name, _}, Acc) when Name =:= cb_info; Name =:= transport -> Acc;
split({Name, _} = Option, {Ours, Theirs}) ->
    case is_ours(Name) of
        true -> {[Option | Ours], Theirs};
        false ->
            case lists:member(Name, ?SHARED) of
                true -> {[Option | Ours], [Option | Theirs]};
                false -> {Ours, [Option | Theirs]}
            end
    end;
split(Option, {Ours, Theirs}) when Option =:= inet; Option =:= inet6; is_tuple(Option), element(1, Option) =:= raw ->
    {Ours, [Option | Theirs]};
split(Option, {Ours, Theirs}) ->
    {[Option | Ours], Theirs}.

%% S-O27, A-O39: three elements in R14, four, or five.
cb_info(Options) ->
    case lists:keyfind(cb_info, 1, Options) of
        false -> {ok, ?DEFAULT};
        {cb_info, Info} when is_tuple(Info) -> cb_info(tuple_to_list(Info), Info);
        {cb_info, Info} -> {error, {options, {cb_info, Info}}}
    end.

cb_info(Elements, Info) ->
    case {lists:all(fun is_atom/1, Elements), Elements} of
        {true, [Module, Data, Closed]} ->
            {ok, {Module, Data, Closed, tag(Data, "_error"), tag(Data, "_passive")}};
        {true, [Module, Data, Closed, Error]} ->
            {ok, {Module, Data, Closed, Error, tag(Data, "_passive")}};
        {true, [_, _, _, _, _]} -> {ok, Info};
        _ -> {error, {options, {cb_info, Info}}}
    end.

tag(Data, Suffix) ->
    list_to_atom(atom_to_list(Data) ++ Suffix).

%% Sockets.

%% What a socket below TLS is like, whatever its user sees.
-spec internal_options() -> [{atom(), term()}].
internal_options() ->
    [{packet_size, 0}, {packet, 0}, {header, 0}, {active, false}, {mode, binary}].

%% R37, R54: with the error terms of ssl.
-spec connect(cb_info(), term(), term(), [term()], timeout()) -> {ok, term()} | {error, term()}.
connect({Module, _, _, _, _} = Info, Host, Port, Options, Timeout) ->
    All = first(Options ++ internal_options()),
    guarded(Info, All, fun() -> Module:connect(Host, Port, All, Timeout) end).

-spec listen(cb_info(), term(), [term()]) -> {ok, term()} | {error, term()}.
listen({Module, _, _, _, _} = Info, Port, Options) ->
    All = first(Options ++ internal_options()),
    guarded(Info, All, fun() -> Module:listen(Port, All) end).

guarded(Info, Options, Fun) ->
    try Fun() of
        {ok, Socket} -> {ok, Socket};
        {error, Reason} -> {error, Reason}
    catch
        exit:{function_clause, _} -> {error, {options, {cb_info, Info}}};
        error:function_clause -> {error, {options, {cb_info, Info}}};
        error:undef -> {error, {options, {cb_info, Info}}};
        exit:badarg -> {error, {options, {socket_options, Options}}};
        exit:{badarg, _} -> {error, {options, {socket_options, Options}}};
        error:badarg -> {error, {options, {socket_options, Options}}}
    end.

%% gen_tcp wants this option before all others.
first(Options) ->
    case lists:keytake(inet_backend, 1, Options) of
        {value, Backend, Rest} -> [Backend | Rest];
        false -> Options
    end.

-spec accept(module(), term(), timeout()) -> {ok, term()} | {error, term()}.
accept(Module, Listener, Timeout) ->
    answer(fun() -> Module:accept(Listener, Timeout) end).

%% As with ssl, what is none for gen_tcp is no argument.
-spec may_be_socket(module(), term()) -> true.
may_be_socket(gen_tcp, Socket) when is_port(Socket) -> true;
may_be_socket(gen_tcp, {'$inet', _, _}) -> true;
may_be_socket(Module, _Socket) when Module =/= gen_tcp -> true.

%% R30: only its owner can give a socket away.
-spec not_owner(term()) -> boolean().
not_owner(Port) when is_port(Port) ->
    case erlang:port_info(Port, connected) of
        {connected, Owner} -> Owner =/= self();
        undefined -> false
    end;
not_owner(_Socket) ->
    false.

-spec controlling_process(module(), term(), pid()) -> ok | {error, term()}.
controlling_process(Module, Socket, Pid) ->
    answer(fun() -> Module:controlling_process(Socket, Pid) end).

-spec send(module(), term(), iodata()) -> ok | {error, term()}.
send(Module, Socket, Data) ->
    answer(fun() -> Module:send(Socket, Data) end).

-spec shutdown(module(), term(), read | write | read_write) -> ok | {error, term()}.
shutdown(Module, Socket, How) ->
    answer(fun() -> Module:shutdown(Socket, How) end).

-spec close(module(), term()) -> ok.
close(gen_tcp, Socket) ->
    _ = answer(fun() -> inet:close(Socket) end),
    ok;
close(Module, Socket) ->
    _ = answer(fun() -> Module:close(Socket) end),
    ok.

-spec setopts(module(), term(), [term()]) -> ok | {error, term()}.
setopts(gen_tcp, Socket, Options) -> answer(fun() -> inet:setopts(Socket, Options) end);
setopts(Module, Socket, Options) -> answer(fun() -> Module:setopts(Socket, Options) end).

-spec getopts(module(), term(), [term()]) -> {ok, [term()]} | {error, term()}.
getopts(gen_tcp, Socket, Names) -> answer(fun() -> inet:getopts(Socket, Names) end);
getopts(Module, Socket, Names) -> answer(fun() -> Module:getopts(Socket, Names) end).

-spec getstat(module(), term(), [atom()]) -> {ok, [{atom(), integer()}]} | {error, term()}.
getstat(gen_tcp, Socket, Names) -> answer(fun() -> inet:getstat(Socket, Names) end);
getstat(Module, Socket, Names) -> answer(fun() -> Module:getstat(Socket, Names) end).

-spec peername(module(), term()) -> {ok, term()} | {error, term()}.
peername(gen_tcp, Socket) -> answer(fun() -> inet:peername(Socket) end);
peername(Module, Socket) -> answer(fun() -> Module:peername(Socket) end).

-spec sockname(module(), term()) -> {ok, term()} | {error, term()}.
sockname(gen_tcp, Socket) -> answer(fun() -> inet:sockname(Socket) end);
sockname(Module, Socket) -> answer(fun() -> Module:sockname(Socket) end).

%% A socket that is none (any more), or a module without the function, is an error of the
%% call and takes nobody along.
answer(Fun) ->
    try
        Fun()
    catch
        error:undef -> {error, enotsup};
        _:{Reason, {gen_server, call, _}} -> {error, gone(Reason)};
        _:Reason when is_atom(Reason) -> {error, Reason};
        _:_ -> {error, einval}
    end.

gone(timeout) -> timeout;
gone(_) -> closed.
