%% What is no matter of suites: each feature with each peer that has it, in both roles.
-module(interop_features).

-export([run/2]).
-export_type([feature/0]).

%% What it is, the peer and the role of the peer.
-type feature() :: {string(), atom(), client | server}.

-spec run([interop_peers:peer()], all | few) -> [{feature(), ok | {gap, string()} | {failed, term()}}].
run(_Peers, _Extent) -> [].
