%%% A parse transform that has OTP's own test suites of `ssl' test `ssl_port': it turns the
%%% module and the application `ssl' into `ssl_port' wherever a suite names them, and leaves
%%% alone what only looks alike: the tag of messages (`{ssl, Socket, Data}'), OTP's pure
%%% modules, and everything else. The compiler's option {conformance, Module} names another
%%% module than `ssl_port'.
-module(conformance_transform).

-export([parse_transform/2]).

-spec parse_transform([erl_parse:abstract_form()], [compile:option()]) ->
          [erl_parse:abstract_form()].
parse_transform(Forms, Options) ->
    _ = put(conformance, proplists:get_value(conformance, Options, ssl_port)),
    walk(Forms).

%% Functions whose arguments name the module or the application.
-define(NAMING, [{application, any}, {rpc, any}, {erpc, any}, {logger, any}, {test_server, any},
                 {erlang, apply}, {erlang, spawn}, {erlang, spawn_link}, {code, which}]).

walk({call, Line, {remote, _, {atom, _, proplists}, {atom, _, get_value}} = F,
      [{atom, _, transport} = Key, Options, Default]}) ->
    {call, Line, F, [Key, walk(Options), name(walk(Default))]};
walk({call, Line, {remote, _, {atom, _, application}, {atom, _, Function}} = F, [{atom, _, ssl} | Rest] = Args}) ->
    case get(conformance) of
        ssl_port ->
            {call, Line, F, [name(walk(Arg)) || Arg <- Args]};
        Module ->
            List = lists:foldr(fun(Arg, Tail) -> {cons, Line, Arg, Tail} end, {nil, Line}, [hd(Args) | walk(Rest)]),
            {call, Line, {remote, Line, {atom, Line, Module}, {atom, Line, application}}, [{atom, Line, Function}, List]}
    end;
walk({call, Line, {remote, _, {atom, _, Module}, {atom, _, Function}} = F, Args}) ->
    case lists:member({Module, any}, ?NAMING) orelse lists:member({Module, Function}, ?NAMING) of
        true -> {call, Line, F, [name(walk(Arg)) || Arg <- Args]};
        false -> {call, Line, walk(F), walk(Args)}
    end;
walk({call, Line, {atom, _, apply} = F, [Module | Args]}) ->
    {call, Line, F, [name(walk(Module)) | walk(Args)]};
walk({remote, Line, Module, Function}) ->
    {remote, Line, name(Module), walk(Function)};
walk({'fun', Line, {function, Module, Function, Arity}}) ->
    {'fun', Line, {function, name(Module), Function, Arity}};
%% {Module, Function, Args}; a message has a socket in the second place.
walk({tuple, Line, [{atom, _, ssl} = Module, {atom, _, Function} = F, Args]})
  when Function =/= session_ticket ->
    {tuple, Line, [name(Module), F, walk(Args)]};
walk({tuple, Line, [{atom, _, transport} = Key, Value]}) ->
    {tuple, Line, [Key, name(walk(Value))]};
walk(Tuple) when is_tuple(Tuple) ->
    list_to_tuple(walk(tuple_to_list(Tuple)));
walk([Head | Tail]) ->
    [walk(Head) | walk(Tail)];
walk(Other) ->
    Other.

name({atom, Line, ssl}) -> {atom, Line, get(conformance)};
name(Other) -> Other.
