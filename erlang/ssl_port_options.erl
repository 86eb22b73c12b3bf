%%% @private
%%% What happens to options before they go to the port program: the atoms that stand for
%%% tuples are expanded, funs and callback modules (which only this node can run) become
%%% names, and the
%%% defaults of the application environment are put behind. Everything else, names and
%%% values, is judged by the program.
-module(ssl_port_options).

-export([expand/1]).
-export([expand/2]).
-export([written/1]).
-export([tls/1]).
-export([environment/0]).

-type bad_option() :: {option_not_a_key_value_tuple, term()}
                    | {error, {options, {option_not_a_key_value_tuple, term()}}}.

%% The options of one call, and the funs that were in them. No list is a function_clause,
%% as in ssl; an element that is no option is returned as the error that ssl names (R37).
-spec expand([term()]) -> {ok, [tuple()], ssl_port_questions:funs()} | bad_option().
expand(Options) ->
    expand(Options, []).

%% As expand/1, with Defaults behind.
-spec expand([term()], [{atom(), term()}]) ->
          {ok, [tuple()], ssl_port_questions:funs()} | bad_option().
expand(Options, Defaults) when is_list(Options) ->
    expand(flatten(Options), Defaults, [], #{}).

%% Lists in the list are part of it, as in ssl; lists in those are not.
flatten([Options | Rest]) when is_list(Options) -> Options ++ flatten(Rest);
flatten([Option | Rest]) -> [Option | flatten(Rest)];
flatten([]) -> [].

%% Without a cache of the user's, that of the ssl application is asked.
crl_cache(Options, Funs0) ->
    case lists:keymember(crl_check, 1, Options) andalso not lists:keymember(crl_cache, 1, Options) of
        true ->
            {Cache, Funs} = keep({crl_cache, {ssl_crl_cache, {internal, []}}}, Funs0),
            {Options ++ [Cache], Funs};
        false ->
            {Options, Funs0}
    end.

expand([], [], Acc, Funs0) ->
    {Options, Funs} = crl_cache(lists:reverse(Acc), Funs0),
    {ok, Options, Funs};
expand([], Defaults, Acc, Funs0) ->
    {Environment, Funs} = lists:mapfoldl(fun keep/2, Funs0, Defaults),
    expand([], [], [{'$env', Environment} | Acc], Funs);
%% Who owns the socket below is settled (ssl_port_transport).
expand([{transport, _} | Rest], Defaults, Acc, Funs) ->
    expand(Rest, Defaults, Acc, Funs);
expand([Option | Rest], Defaults, Acc, Funs0) ->
    case option(Option) of
        {ok, Expanded} ->
            {Value, Funs} = keep(Expanded, Funs0),
            expand(Rest, Defaults, [Value | Acc], Funs);
        error ->
            no_option(Option)
    end.

%% From OTP 26 on the error is as those of other options are.
no_option(Option) ->
    case ssl_port_environment:profile() of
        otp26 -> {error, {options, {option_not_a_key_value_tuple, Option}}};
        _ -> {option_not_a_key_value_tuple, Option}
    end.

option(binary) -> {ok, {mode, binary}};
option(list) -> {ok, {mode, list}};
option(inet) -> {ok, {inet, true}};
option(inet6) -> {ok, {inet6, true}};
%% public_key:cacerts_get/0 gives each certificate twice, as bytes and as a record.
option({cacerts, [_ | _] = Certs}) -> {ok, {cacerts, ders(Certs)}};
option({raw, _Protocol, _Number, _Value} = Option) -> {ok, Option};
option({_, _} = Option) -> {ok, Option};
option(_) -> error.

ders([{cert, Der, _OtpCert} | Rest]) when is_binary(Der) -> [Der | ders(Rest)];
ders([Cert | Rest]) -> [Cert | ders(Rest)];
ders(End) -> End.

%% Options whose fun has a state, or is called by one of ours, or that name a module: all of
%% it stays here, behind one name.
keep({Name, {Fun, FunState}}, Funs0)
  when Name =:= verify_fun orelse Name =:= user_lookup_fun, is_function(Fun) ->
    {Kept, Funs} = ssl_port_questions:keep_fun(Fun, FunState, Funs0),
    {{Name, {Kept, '$state'}}, Funs};
keep({partial_chain, Fun}, Funs0) when is_function(Fun, 1) ->
    {Kept, Funs} = ssl_port_questions:keep_fun(fun ssl_port_verify:partial_chain/2, Fun, Funs0),
    {{partial_chain, {Kept, '$state'}}, Funs};
keep({customize_hostname_check, [_ | _] = Funs}, Funs0) ->
    {Kept, Funs1} = ssl_port_questions:keep_fun(fun ssl_port_verify:hostname/3, Funs, Funs0),
    {{customize_hostname_check, {Kept, '$state'}}, Funs1};
keep({crl_cache, {Module, {_Handle, _Args} = Cache}}, Funs0) when is_atom(Module) ->
    {Kept, Funs} = ssl_port_questions:keep_module(crl_cache, Module, Cache, Funs0),
    {{crl_cache, {Kept, '$state'}}, Funs};
keep({Name, Module}, Funs0)
  when Name =:= session_cb orelse Name =:= client_session_cb orelse Name =:= server_session_cb,
       is_atom(Module) ->
    {Kept, Funs} = ssl_port_questions:keep_module(session_cache, Module, undefined, Funs0),
    {{Name, Kept}, Funs};
keep({key, Key}, Funs0) ->
    {Kept, Funs} = keep_key(Key, Funs0),
    {{key, Kept}, Funs};
keep({certs_keys, [_ | _] = Identities}, Funs0) ->
    {Kept, Funs} = identities(Identities, [], Funs0),
    {{certs_keys, Kept}, Funs};
%% What it returns are options too.
keep({sni_fun, Fun}, Funs0) when is_function(Fun, 1) ->
    {Kept, Funs} = ssl_port_questions:keep_options_fun(Fun, Funs0),
    {{sni_fun, Kept}, Funs};
keep({sni_hosts, Hosts}, Funs0) when is_list(Hosts) ->
    {Kept, Funs} = hosts(Hosts, [], Funs0),
    {{sni_hosts, Kept}, Funs};
keep(Option, Funs) ->
    strip(Option, Funs).

%% A key that is funs goes by one name; any other map is left for the program to judge.
keep_key(Key, Funs) ->
    case ssl_port_keys:is_key(Key) of
        true -> ssl_port_questions:keep_key(Key, Funs);
        false -> strip(Key, Funs)
    end.

identities([#{key := Key} = Identity | Rest], Acc, Funs0) ->
    {Kept, Funs1} = keep_key(Key, Funs0),
    {Others, Funs} = strip(maps:remove(key, Identity), Funs1),
    identities(Rest, [Others#{key => Kept} | Acc], Funs);
identities([Identity | Rest], Acc, Funs0) ->
    {Kept, Funs} = strip(Identity, Funs0),
    identities(Rest, [Kept | Acc], Funs);
identities(End, Acc, Funs) ->
    {lists:reverse(Acc, End), Funs}.

%% The options of each name; what is none is left for the program to judge.
hosts([{Name, Options} | Rest], Acc, Funs0) when is_list(Options) ->
    case expand(Options, [], [], Funs0) of
        {ok, Expanded, Funs} -> hosts(Rest, [{Name, Expanded} | Acc], Funs);
        _ -> hosts(Rest, [{Name, Options} | Acc], Funs0)
    end;
hosts([Host | Rest], Acc, Funs) ->
    hosts(Rest, [Host | Acc], Funs);
hosts(End, Acc, Funs0) ->
    {Tail, Funs} = strip(End, Funs0),
    {lists:reverse(Acc, Tail), Funs}.

%% Replaces each fun in Term, however deep, and leaves a term without any untouched (the
%% certificates in it are not rebuilt).
strip(Fun, Funs) when is_function(Fun) ->
    ssl_port_questions:keep_fun(Fun, Funs);
strip(Term, Funs) ->
    case has_fun(Term) of
        true -> replace(Term, Funs);
        false -> {Term, Funs}
    end.

replace([Head | Tail], Funs0) ->
    {NewHead, Funs1} = strip(Head, Funs0),
    {NewTail, Funs2} = strip(Tail, Funs1),
    {[NewHead | NewTail], Funs2};
replace(Tuple, Funs0) when is_tuple(Tuple) ->
    {List, Funs} = strip(tuple_to_list(Tuple), Funs0),
    {list_to_tuple(List), Funs};
replace(Map, Funs0) when is_map(Map) ->
    {List, Funs} = strip(maps:to_list(Map), Funs0),
    {maps:from_list(List), Funs}.

has_fun(Term) when is_function(Term) -> true;
has_fun([Head | Tail]) -> has_fun(Head) orelse has_fun(Tail);
has_fun(Tuple) when is_tuple(Tuple) -> has_fun_element(tuple_size(Tuple), Tuple);
has_fun(Map) when is_map(Map) -> has_fun(maps:to_list(Map));
has_fun(_) -> false.

has_fun_element(0, _Tuple) -> false;
has_fun_element(N, Tuple) -> has_fun(element(N, Tuple)) orelse has_fun_element(N - 1, Tuple).

%% Without the options of the socket's delivery, which handshake/2,3 does not change.
-spec tls([tuple()]) -> [tuple()].
tls(Options) ->
    [Option || Option <- Options,
               not lists:member(element(1, Option), [active, mode, packet, packet_size, header])].

%% Each option as a tuple, as it was written.
-spec written([term()]) -> {ok, [tuple()]} | bad_option().
written(Options) when is_list(Options) ->
    written(flatten(Options), []).

written([Option | Rest], Acc) ->
    case option(Option) of
        {ok, Expanded} -> written(Rest, [Expanded | Acc]);
        error -> no_option(Option)
    end;
written([], Acc) ->
    {ok, lists:reverse(Acc)}.

%% The defaults that stand behind the options of connect and listen, and where relative names of files
%% start: the program's own folder is the one that this node was in when the program started.
-spec environment() -> [{atom(), term()}].
environment() ->
    case file:get_cwd() of
        {ok, Dir} -> ssl_port_environment:values() ++ [{cwd, unicode:characters_to_binary(Dir)}];
        {error, _} -> ssl_port_environment:values()
    end.
