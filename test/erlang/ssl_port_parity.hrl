%% The callbacks that the parity suites have in common: the last line of a suite's attributes. A suite has an
%% init_per_suite/1 of its own.

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-compile([export_all, nowarn_export_all]).

suite() ->
    [{timetrap, {minutes, 5}}].

all() ->
    [Name || {Name, 1} <- ?MODULE:module_info(exports), lists:prefix("case_", atom_to_list(Name))].

end_per_suite(Config) ->
    ssl_port_parity:end_per_suite(Config).

init_per_testcase(Case, Config) ->
    ssl_port_parity:init_per_testcase(?MODULE, Case, Config).

end_per_testcase(_Case, _Config) ->
    ok.
