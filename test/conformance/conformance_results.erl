%%% Reads what conformance_hook wrote: which cases ran, and what became of them.
-module(conformance_results).

-export([failed/0]).
-export([print/0]).
-export([read/1]).

-export_type([name/0, outcome/0]).

-type name() :: {Suite :: atom(), Groups :: [atom()], Case :: atom()}.
-type outcome() :: passed | {failed, binary()} | {skipped, binary()}.

%% Prints a line a case for report.mjs, its fields between tabs: run, suite, groups, case, outcome,
%% reason. Arguments behind -extra: the files, in folders RUN/results.
-spec print() -> no_return().
print() ->
    ok = io:setopts([{encoding, unicode}]),
    lists:foreach(fun print/1, init:get_plain_arguments()),
    halt(0).

print(File) ->
    Run = filename:basename(filename:dirname(filename:dirname(File))),
    maps:foreach(
      fun({Suite, Groups, Case}, Outcome) ->
              {What, Why} = case Outcome of passed -> {passed, <<>>}; Other -> Other end,
              Path = lists:join("/", [atom_to_list(Group) || Group <- Groups]),
              Line = string:replace(Why, "\n", " ", all),
              io:format("~ts\t~ts\t~ts\t~ts\t~ts\t~ts~n",
                        [Run, Suite, Path, Case, What, string:slice(Line, 0, 300)])
      end, read(File)).

%% Writes the names of the cases that failed, for conformance_hook to run again. Arguments behind
%% -extra: the file of results, the file to write.
-spec failed() -> no_return().
failed() ->
    [Results, File] = init:get_plain_arguments(),
    Names = [Name || {Name, {failed, _}} <- maps:to_list(read(Results))],
    ok = file:write_file(File, [io_lib:format("~0p.~n", [Name]) || Name <- Names]),
    halt(0).

%% A case that started and of which nothing more was heard has hung.
-spec read(file:filename()) -> #{name() => outcome()}.
read(File) ->
    case file:consult(File) of
        {ok, Terms} -> read(Terms, undefined, #{});
        {error, enoent} -> #{}
    end.

read([{started, Name} | Rest], _Current, Cases) ->
    read(Rest, {started, Name}, Cases#{Name => {failed, <<"it did not end">>}});
read([skipping | Rest], Current, Cases) ->
    read(Rest, Current, Cases);
read([ended | Rest], {started, Name}, Cases) ->
    read(Rest, {ended, Name}, Cases#{Name := passed});
read([{failed, Case, Reason} | Rest], {_, Name} = Current, Cases) ->
    read(Rest, Current, with(Case, Name, {failed, Reason}, Cases));
%% After a case has ended, this is about another one of its name, which never started.
read([{skipped, _Suite, Case, Reason} | Rest], {started, Name} = Current, Cases) ->
    read(Rest, Current, with(Case, Name, {skipped, Reason}, Cases));
read([_ | Rest], Current, Cases) ->
    read(Rest, Current, Cases);
read([], _Current, Cases) ->
    Cases.

with(Case, {_, _, Current} = Name, Outcome, Cases) ->
    case Case of
        Current -> Cases#{Name := Outcome};
        {Current, _Group} -> Cases#{Name := Outcome};
        _ -> Cases
    end.
