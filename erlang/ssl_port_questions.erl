%%% @private
%%% What only this node can answer. Funs of the user, and modules that stand in an option,
%%% never leave the node: the port program knows each by an index, and asks. Here they are
%%% given their indexes, and the questions are answered.
%%%
%%% Each question runs in a process of its own, so that no connection waits for another's
%%% fun. That process is killed when the process of its connection ends, which bounds a fun
%%% that never returns by the timeout of the handshake.
-module(ssl_port_questions).

-export([keep_fun/2]).
-export([keep_fun/3]).
-export([keep_options_fun/2]).
-export([keep_module/4]).
-export([keep_key/2]).
-export([has_names/1]).
-export([restore/2]).
-export([ask/5]).
-export([text/1]).

%% The processes of a question.
-export([run/5]).
-export([watch/5]).

-export_type([funs/0]).
-export_type([kind/0]).
-export_type([name/0]).

-type index() :: pos_integer().
-type kind() :: crl_cache | session_cache.
%% What a module may be called for.
-type kept() :: {function, fun(), State :: term()}
              | {options_function, fun()}
              | {module, kind(), module(), State :: term()}
              | {key, ssl_port_keys:key()}.
-type funs() :: #{index() => kept()}.
-type name() :: {'$fun', index(), arity(), Identity :: binary()} | {'$callback', index(), kind()}
              | {'$key', index(), Algorithm :: atom(), [sign | encrypt]}.
%% What the program gets in place of a fun or a module.
-type answer() :: {ok, term()} | {error, undefined_fun | notsup | {Class :: atom(), term(), binary()}}.

%% As long as a reason may be in words.
-define(REASON_CHARS, 1000).

%% The functions of a callback module that the program may ask for. It can name no others,
%% and no module that the user's options or environment did not name.
functions(crl_cache) -> [{crls, 3}, {fresh_crl, 3}];
functions(session_cache) -> [{lookup, 1}, {select_session, 1}, {update, 3}].

%% Giving indexes.

-spec keep_fun(fun(), funs()) -> {name(), funs()}.
keep_fun(Fun, Funs) ->
    keep_fun(Fun, undefined, Funs).

%% State stays here too: it may hold what no other program can read, and the program names it
%% by the atom '$state' among the arguments.
-spec keep_fun(fun(), State :: term(), funs()) -> {name(), funs()}.
keep_fun(Fun, State, Funs) ->
    {arity, Arity} = erlang:fun_info(Fun, arity),
    Index = erlang:unique_integer([positive]),
    {{'$fun', Index, Arity, identity(Fun, State)}, Funs#{Index => {function, Fun, State}}}.

%% A fun whose results are options, with funs and modules in them as anywhere.
-spec keep_options_fun(fun(), funs()) -> {name(), funs()}.
keep_options_fun(Fun, Funs0) ->
    {{'$fun', Index, _, _} = Name, Funs} = keep_fun(Fun, undefined, Funs0),
    {Name, Funs#{Index := {options_function, Fun}}}.

-spec keep_module(kind(), module(), State :: term(), funs()) -> {name(), funs()}.
keep_module(Kind, Module, State, Funs) ->
    Index = erlang:unique_integer([positive]),
    {{'$callback', Index, Kind}, Funs#{Index => {module, Kind, Module, State}}}.

-spec keep_key(ssl_port_keys:key(), funs()) -> {name(), funs()}.
keep_key(#{algorithm := Algorithm} = Key, Funs) ->
    Index = erlang:unique_integer([positive]),
    {{'$key', Index, Algorithm, ssl_port_keys:operations(Key)}, Funs#{Index => {key, Key}}}.

%% The same for the same code with the same values in it, whoever made the fun and however
%% often: sessions are resumed only under what the peer was judged by.
identity(Fun, State) ->
    erlang:md5(term_to_binary([code(Fun) | code(State)])).

%% Without what tells one making of a fun from another, however deep it stands.
code(Fun) when is_function(Fun) ->
    Info = fun(Item) -> element(2, erlang:fun_info(Fun, Item)) end,
    case Info(type) of
        external -> {'$fun', Info(module), Info(name), Info(arity)};
        local -> {'$fun', Info(module), Info(new_index), Info(new_uniq), code(Info(env))}
    end;
code([Head | Tail]) -> [code(Head) | code(Tail)];
code(Tuple) when is_tuple(Tuple) -> list_to_tuple(code(tuple_to_list(Tuple)));
code(Map) when is_map(Map) -> {'$map', code(maps:to_list(Map))};
code(Term) -> Term.

%% Whether one of the values of a property list holds what restore/2 would put back.
-spec has_names([{atom(), term()}]) -> boolean().
has_names(Items) ->
    lists:any(fun({_, Value}) -> is_named(Value) end, Items).

is_named({Name, '$state'}) -> is_named(Name);
is_named([Head | Tail]) -> is_named(Head) orelse is_named(Tail);
is_named(Tuple) when is_tuple(Tuple), tuple_size(Tuple) > 0 ->
    is_name(element(1, Tuple))
        orelse lists:any(fun is_named/1, tuple_to_list(Tuple));
is_named(Map) when is_map(Map) -> is_named(maps:to_list(Map));
is_named(_) -> false.

is_name(Tag) -> Tag =:= '$fun' orelse Tag =:= '$callback' orelse Tag =:= '$key'.

%% Puts the funs and modules back into a term that the program has sent, such as the value of
%% an option in an error.
-spec restore(term(), funs()) -> term().
restore(Term, Funs) when map_size(Funs) =:= 0 ->
    Term;
restore({Name, '$state'}, Funs) when element(1, Name) =:= '$fun'; element(1, Name) =:= '$callback' ->
    case Funs of
        #{element(2, Name) := {function, Fun, State}} -> {Fun, State};
        #{element(2, Name) := {module, _, Module, State}} -> {Module, State};
        #{} -> Name
    end;
restore(Name, Funs)
  when element(1, Name) =:= '$fun'; element(1, Name) =:= '$callback'; element(1, Name) =:= '$key' ->
    case Funs of
        #{element(2, Name) := {function, Fun, _}} -> Fun;
        #{element(2, Name) := {options_function, Fun}} -> Fun;
        #{element(2, Name) := {module, _, Module, _}} -> Module;
        #{element(2, Name) := {key, Key}} -> Key;
        #{} -> Name
    end;
restore([Head | Tail], Funs) ->
    [restore(Head, Funs) | restore(Tail, Funs)];
restore(Tuple, Funs) when is_tuple(Tuple) ->
    list_to_tuple(restore(tuple_to_list(Tuple), Funs));
restore(Map, Funs) when is_map(Map) ->
    maps:map(fun(_, Value) -> restore(Value, Funs) end, Map);
restore(Term, _Funs) ->
    Term.

%% Answering.

%% Starts on the answer, which goes to the program by itself. To be called by the process
%% that ends with the connection.
-spec ask(ssl_port_protocol:id(), port(), term(), term(), funs()) -> ok.
ask(Id, Port, QuestionId, Question, Funs) ->
    case call(Question, Funs) of
        {ok, Call} ->
            _ = spawn(?MODULE, run, [self(), Id, Port, QuestionId, Call]),
            ok;
        {error, _} = Error ->
            answer(Id, Port, QuestionId, Error)
    end.

call({apply, Index, Args}, Funs) ->
    case Funs of
        #{Index := {function, Fun, State}} when is_list(Args), is_function(Fun, length(Args)) ->
            {ok, {Fun, arguments(Args, State)}};
        #{Index := {options_function, Fun}} when is_list(Args), is_function(Fun, length(Args)) ->
            {ok, {{options, Fun}, Args}};
        #{} ->
            {error, undefined_fun}
    end;
call({callback, Index, Function, Args}, Funs) when is_list(Args) ->
    case Funs of
        #{Index := {module, Kind, Module, State}} ->
            case lists:member({Function, length(Args)}, functions(Kind)) of
                true -> {ok, module_call(Kind, Module, Function, arguments(Args, State))};
                false -> {error, undefined_fun}
            end;
        #{} ->
            {error, undefined_fun}
    end;
call({verify, Index, State, Ders, Findings, More}, Funs)
  when is_list(Ders), is_list(Findings), is_boolean(More) ->
    case Funs of
        #{Index := {function, Fun, Kept}} ->
            Named = [named(Finding, Funs) || Finding <- Findings],
            {ok, {fun ssl_port_verify:chain/6, [Fun, Kept, State, Ders, Named, More]}};
        #{} ->
            {error, undefined_fun}
    end;
call({sign, Index, Hash, Form, Data}, Funs) ->
    with_key(Index, fun ssl_port_keys:sign/4, [Hash, Form, Data], Funs);
call({encrypt, Index, Data}, Funs) ->
    with_key(Index, fun ssl_port_keys:encrypt/2, [Data], Funs);
call(_Question, _Funs) ->
    {error, notsup}.

with_key(Index, Fun, Args, Funs) ->
    case Funs of
        #{Index := {key, Key}} -> {ok, {Fun, [Key | Args]}};
        #{} -> {error, undefined_fun}
    end.

%% Modules that want records of public_key, or that are started first, are called by one of ours.
module_call(crl_cache, Module, Function, Args) -> {ssl_port_crl, Function, Args ++ [Module]};
module_call(session_cache, Module, Function, Args) -> {ssl_port_sessions, Function, Args ++ [Module]}.

%% The funs that compare names stand behind an index of their own, 0 for none.
named({Place, {valid_peer, Index, ReferenceIds}}, Funs) ->
    Names = case Funs of
                #{Index := {function, _, Kept}} -> Kept;
                #{} -> undefined
            end,
    {Place, {valid_peer, Names, ReferenceIds}};
named(Finding, _Funs) ->
    Finding.

arguments(Args, State) ->
    [case Arg of '$state' -> State; _ -> Arg end || Arg <- Args].

-spec run(pid(), ssl_port_protocol:id(), port(), term(), tuple()) -> ok.
run(Connection, Id, Port, QuestionId, Call) ->
    Watcher = spawn(?MODULE, watch, [Connection, self(), Id, Port, QuestionId]),
    receive {watching, Watcher} -> ok end,
    Answer = try
                 {ok, apply_call(Call, Connection)}
             catch
                 Class:Reason -> failure(Class, Reason)
             end,
    ok = answer(Id, Port, QuestionId, Answer),
    Watcher ! {answered, self()},
    ok.

apply_call({{options, Fun}, Args}, Connection) -> options(apply(Fun, Args), Connection);
apply_call({Fun, Args}, _Connection) -> apply(Fun, Args);
apply_call({Module, Function, Args}, _Connection) -> apply(Module, Function, Args).

options(Options, Connection) when is_list(Options) ->
    case ssl_port_options:expand(Options) of
        {ok, Expanded, Funs} ->
            ok = ssl_port_connection:add_funs(Connection, Funs),
            Expanded;
        _BadOption ->
            Options
    end;
options(Other, _Connection) ->
    Other.

%% A fun whose process died without a word has failed; one whose connection has ended is in
%% nobody's interest.
-spec watch(pid(), pid(), ssl_port_protocol:id(), port(), term()) -> ok.
watch(Connection, Runner, Id, Port, QuestionId) ->
    ConnectionMonitor = erlang:monitor(process, Connection),
    RunnerMonitor = erlang:monitor(process, Runner),
    Runner ! {watching, self()},
    receive
        {answered, Runner} ->
            ok;
        {'DOWN', RunnerMonitor, process, Runner, Reason} ->
            answer(Id, Port, QuestionId, failure(exit, Reason));
        {'DOWN', ConnectionMonitor, process, Connection, _Reason} ->
            true = exit(Runner, kill),
            ok
    end.

failure(Class, Reason) ->
    {error, {Class, Reason, text(Reason)}}.

%% A reason in words, cut where it is long.
-spec text(term()) -> binary().
text(Reason) ->
    Text = io_lib:format("~0tp", [Reason], [{chars_limit, ?REASON_CHARS}]),
    unicode:characters_to_binary(Text).

-spec answer(ssl_port_protocol:id(), port(), term(), answer()) -> ok.
answer(Id, Port, QuestionId, Answer) ->
    try erlang:port_command(Port, ssl_port_protocol:answer(Id, QuestionId, Answer)) of
        true -> ok
    catch
        %% The worker is gone, and the connection will hear of it.
        error:badarg -> ok
    end.
