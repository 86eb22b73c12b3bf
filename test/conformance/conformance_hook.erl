%%% A Common Test hook that writes down, term by term, what became of every case. A case is
%%% named by its suite, the path of its groups and its function. DTLS is left out, since
%%% `ssl_port' does not speak it; so are cases that the environment variable
%%% CONFORMANCE_CASES does not name, where it is set.
-module(conformance_hook).

-export([id/1]).
-export([init/2]).
-export([pre_init_per_group/4]).
-export([pre_init_per_testcase/4]).
-export([post_end_per_testcase/5]).
-export([on_tc_fail/4]).
-export([on_tc_skip/4]).

-record(state, {file :: file:filename(), cases :: all | #{term() => true}}).

-spec id(term()) -> term().
id(_Options) ->
    ?MODULE.

-spec init(term(), [term()]) -> {ok, #state{}}.
init(_Id, [File, Cases]) ->
    ok = file:write_file(File, <<>>),
    {ok, #state{file = File, cases = cases(Cases)}}.

cases(all) -> all;
cases(File) ->
    {ok, Cases} = file:consult(File),
    maps:from_list([{Case, true} || Case <- Cases]).

-spec pre_init_per_group(module(), atom(), term(), #state{}) -> {term(), #state{}}.
pre_init_per_group(_Suite, Group, Config, State) ->
    case atom_to_list(Group) of
        "dtls" ++ _ -> {{skip, dtls}, State};
        _ -> {Config, State}
    end.

-spec pre_init_per_testcase(module(), atom(), term(), #state{}) -> {term(), #state{}}.
pre_init_per_testcase(Suite, Case, Config, #state{cases = Cases} = State) ->
    Name = {Suite, path(Config), Case},
    case Cases =:= all orelse is_map_key(Name, Cases) of
        true ->
            write({started, Name}, State),
            ok = prepare(Suite),
            {Config, State};
        false ->
            {{skip, not_chosen}, State}
    end.

%% This suite fills the cache of CRLs of the ssl application, which ssl_port asks too, and has it emptied
%% by restarting what it tests.
prepare(ssl_crl_SUITE) ->
    _ = application:stop(ssl),
    {ok, _} = application:ensure_all_started(ssl),
    ok;
prepare(_Suite) ->
    ok.

-spec post_end_per_testcase(module(), atom(), term(), term(), #state{}) -> {term(), #state{}}.
post_end_per_testcase(_Suite, _Case, _Config, Return, State) ->
    write(case Return of {skip, _} -> skipping; _ -> ended end, State),
    {Return, State}.

-spec on_tc_fail(module(), term(), term(), #state{}) -> #state{}.
on_tc_fail(_Suite, Case, Reason, State) ->
    write({failed, Case, Reason}, State),
    State.

-spec on_tc_skip(module(), term(), term(), #state{}) -> #state{}.
on_tc_skip(Suite, Case, Reason, State) ->
    write({skipped, Suite, Case, Reason}, State),
    State.

%% Outermost group first.
path(Config) ->
    Own = group(proplists:get_value(tc_group_properties, Config, [])),
    Outer = [Name || Properties <- proplists:get_value(tc_group_path, Config, []),
                     Name <- group(Properties)],
    lists:reverse(Outer) ++ Own.

group(Properties) ->
    [Name || {name, Name} <- Properties].

%% Hooks are called by many processes, none of which lives long: the file is opened each time.
write(Term, #state{file = File}) ->
    Text = io_lib:format("~0tp.~n", [printable(Term)]),
    ok = file:write_file(File, unicode:characters_to_binary(Text), [append]).

%% What cannot be read back is written as text.
printable({failed, Case, Reason}) ->
    {failed, Case, unicode:characters_to_binary(io_lib:format("~0tP", [Reason, 60]))};
printable({skipped, Suite, Case, Reason}) ->
    {skipped, Suite, Case, unicode:characters_to_binary(io_lib:format("~0tP", [Reason, 20]))};
printable(Term) ->
    Term.
