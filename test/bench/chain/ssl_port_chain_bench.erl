%% How long public_key:pkix_path_validation/3 takes for a chain of three certificates, decoded as `ssl' decodes it.
-module(ssl_port_chain_bench).

-include_lib("public_key/include/public_key.hrl").

-export([main/1]).

%% So many runs go by between two looks at the clock.
-define(BATCH, 20).

%% Arguments: a folder with root.der, ca.der and leaf.der, and how many milliseconds each row is to take. Prints
%% `NAME NANOSECONDS' for each row of the table (see table.ts), the processor time of one validation.
-spec main([string()]) -> no_return().
main([Folder, Milliseconds]) ->
    [Root, Ca, Leaf] = [read(Folder, Name) || Name <- ["root", "ca", "leaf"]],
    [KeptRoot, KeptCa, KeptLeaf] = [decode(Der) || Der <- [Root, Ca, Leaf]],
    Rows = [{new, fun() -> validate(decode(Root), [decode(Ca), decode(Leaf)]) end},
            {known_root, fun() -> validate(KeptRoot, [decode(Ca), decode(Leaf)]) end},
            {seen, fun() -> validate(KeptRoot, [KeptCa, KeptLeaf]) end}],
    [io:format("~s ~b~n", [Name, measure(Run, list_to_integer(Milliseconds))]) || {Name, Run} <- Rows],
    halt().

read(Folder, Name) ->
    {ok, Der} = file:read_file(filename:join(Folder, Name ++ ".der")),
    Der.

decode(Der) ->
    #cert{der = Der, otp = public_key:pkix_decode_cert(Der, otp)}.

validate(#cert{otp = Root}, Path) ->
    {ok, _} = public_key:pkix_path_validation(Root, Path, []).

measure(Run, Milliseconds) ->
    [Run() || _ <- lists:seq(1, 50)],
    {Start, _} = statistics(runtime),
    repeat(Run, Start, Milliseconds, 0).

repeat(Run, Start, Milliseconds, Count) ->
    [Run() || _ <- lists:seq(1, ?BATCH)],
    case statistics(runtime) of
        {Now, _} when Now - Start < Milliseconds -> repeat(Run, Start, Milliseconds, Count + ?BATCH);
        {Now, _} -> (Now - Start) * 1000000 div (Count + ?BATCH)
    end.
