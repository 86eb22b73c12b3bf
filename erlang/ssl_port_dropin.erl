%%% @doc A module named `ssl' that serves every function of OTP's through `ssl_port', for
%%% programs that are not to be changed.
%%%
%%% Either its directory stands ahead of OTP's on the code path (`erl -pa $(make -s
%%% dropin-path)'), or {@link install/0} puts it into a running node. OTP's other modules and
%%% the application `ssl' stay as they are; `ssl_port' is started when it is first needed. The
%%% application environment of `ssl' then holds for `ssl_port' too, where that sets nothing
%%% itself, and sockets belong to the BEAM (`{transport, inet}'), because libraries look into
%%% the socket term for the socket below.
%%%
%%% The module is generated from the exports of `ssl_port': one function, one delegation.
%%% @end
-module(ssl_port_dropin).

-export([install/0]).
-export([uninstall/0]).
-export([write/1]).

%% For the generated module.
-export([ready/0]).
-export([start/1]).
-export([stop/0]).

%% Marks the generated module.
-define(MARK, ssl_port_dropin).

%% @doc Replaces the module `ssl' of this node. Needs the application `compiler'. Connections that
%% OTP's `ssl' has made cannot be used any more: install it before there are any.
%% `{error, old_code_in_use}': a process still runs code of a former module `ssl'.
-spec install() -> ok | {error, old_code_in_use | term()}.
install() ->
    case is_installed() of
        true -> ok;
        false ->
            Beam = beam(),
            replace(fun() -> code:load_binary(ssl, atom_to_list(?MARK), Beam) end)
    end.

%% @doc Brings OTP's module back. `{error, on_code_path}': the drop-in was not installed but
%% stands on the code path.
-spec uninstall() -> ok | {error, old_code_in_use | on_code_path | term()}.
uninstall() ->
    case is_installed() of
        false -> ok;
        true ->
            case code:which(ssl) =:= atom_to_list(?MARK) of
                true -> replace(fun() -> code:load_file(ssl) end);
                false -> {error, on_code_path}
            end
    end.

is_installed() ->
    {module, ssl} = code:ensure_loaded(ssl),
    lists:member({vsn, [?MARK]}, ssl:module_info(attributes)).

%% The directory of OTP's module may be sticky.
replace(Load) ->
    Dir = filename:join(code:lib_dir(ssl), "ebin"),
    Sticky = code:is_sticky(ssl),
    _ = code:unstick_dir(Dir),
    Result = case code:soft_purge(ssl) of
                 true -> loaded(Load());
                 false -> {error, old_code_in_use}
             end,
    _ = Sticky andalso code:stick_dir(Dir),
    Result.

loaded({module, ssl}) -> ok;
loaded({error, _} = Error) -> Error.

%% @doc Writes `ssl.beam' into a directory.
-spec write(file:filename()) -> ok.
write(Dir) ->
    File = filename:join(Dir, "ssl.beam"),
    ok = filelib:ensure_dir(File),
    ok = file:write_file(File, beam()).

%% @private
%% Before what makes sockets: the application runs, with the environment that it has here.
-spec ready() -> ok.
ready() ->
    case whereis(ssl_port_sup) of
        undefined ->
            _ = application:load(ssl_port),
            [application:set_env(ssl_port, Name, Value)
             || {Name, Value} <- [{transport, inet} | application:get_all_env(ssl)],
                application:get_env(ssl_port, Name) =:= undefined],
            _ = ssl_port:start(),
            ok;
        _ ->
            _ = application:get_env(ssl_port, transport) =:= undefined
                andalso application:set_env(ssl_port, transport, inet),
            ok
    end.

%% @private
-spec start(permanent | transient | temporary) -> ok | {error, term()}.
start(Type) ->
    ok = ready(),
    case application:ensure_all_started(ssl) of
        {ok, _} -> ssl_port:start(Type);
        Error -> Error
    end.

%% @private
-spec stop() -> ok | {error, term()}.
stop() ->
    _ = ssl_port:stop(),
    application:stop(ssl).

%% Generating.

beam() ->
    {ok, ssl, Beam} = compile:noenv_forms(forms(), [binary]),
    Beam.

forms() ->
    Exports = ssl_port:module_info(exports) -- [{module_info, 0}, {module_info, 1}],
    [{attribute, anno(), module, ssl}, {attribute, anno(), vsn, ?MARK}, {attribute, anno(), export, Exports}
     | [function(Name, Arity) || {Name, Arity} <- Exports]].

function(Name, Arity) ->
    Vars = [{var, anno(), list_to_atom("A" ++ integer_to_list(N))} || N <- lists:seq(1, Arity)],
    {function, anno(), Name, Arity, [{clause, anno(), Vars, [], body(Name, Vars)}]}.

body(start, []) -> [remote(?MODULE, start, [{atom, anno(), temporary}])];
body(start, Vars) -> [remote(?MODULE, start, Vars)];
body(stop, []) -> [remote(?MODULE, stop, [])];
body(Name, Vars) when Name =:= connect; Name =:= listen; Name =:= handshake; Name =:= ssl_accept;
                       Name =:= handle_options ->
    [remote(?MODULE, ready, []), remote(ssl_port, Name, Vars)];
body(Name, Vars) -> [remote(ssl_port, Name, Vars)].

remote(Module, Name, Args) ->
    {call, anno(), {remote, anno(), {atom, anno(), Module}, {atom, anno(), Name}}, Args}.

anno() ->
    erl_anno:new(1).
