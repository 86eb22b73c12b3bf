%%% @private
%%% The user's say on a peer's certificates: verify_fun in its three forms, and the funs of
%%% customize_hostname_check. The port program validates the path and tells what it has found
%%% (docs/protocol.md); here the funs are called with what public_key would call them with.
-module(ssl_port_verify).

-export([chain/6]).
-export([hostname/3]).
-export([partial_chain/2]).

-export_type([finding/0]).
-export_type([verdict/0]).

-type finding() :: {Certificate :: pos_integer(),
                    {bad_cert | bad_path, Reason :: atom() | {atom(), term()}}
                    | {extension, pos_integer()}
                    | valid
                    | valid_peer
                    | {valid_peer, Names :: list() | undefined, ReferenceIds :: list()}}.
-type verdict() :: {accepted, State :: binary() | undefined}
                 | {refused, Finding :: pos_integer(), Reason :: atom(), Text :: binary()}.

%% Goes through the findings until one is refused. State is that of the fun, or the bytes of
%% it from the verdict before; it is given back so only when more findings are to come.
-spec chain(fun(), term(), State :: term(), [public_key:der_encoded()], [finding()], boolean()) ->
          verdict().
chain(Fun, Kept, State, Ders, Findings, More) ->
    Certs = list_to_tuple([{public_key:pkix_decode_cert(Der, otp), Der} || Der <- Ders]),
    fold(Findings, 1, state(State, Kept), Fun, Certs, More).

state('$state', Kept) -> Kept;
state(State, _Kept) -> binary_to_term(State).

fold([], _N, State, _Fun, _Certs, true) ->
    {accepted, term_to_binary(State)};
fold([], _N, _State, _Fun, _Certs, false) ->
    {accepted, undefined};
fold([{Place, Finding} | Rest], N, State0, Fun, Certs, More) ->
    {Cert, _Der} = Both = element(Place, Certs),
    Event = event(Finding, Cert),
    case verdict(Finding, Event, Both, State0, Fun) of
        {ok, State} -> fold(Rest, N + 1, State, Fun, Certs, More);
        {refused, Reason} -> refused(N, Reason)
    end.

refused(N, {bad_cert, Rule} = Reason) when is_atom(Rule) ->
    {refused, N, Rule, ssl_port_questions:text(Reason)};
refused(N, {bad_cert, {Rule, _}} = Reason) when Rule =:= revoked; Rule =:= revocation_status_undetermined ->
    {refused, N, Rule, ssl_port_questions:text(Reason)};
refused(N, Reason) ->
    {refused, N, undefined, ssl_port_questions:text(Reason)}.

%% What the fun is called with.
event({bad_path, Reason}, _Cert) ->
    {bad_cert, Reason};
event({extension, N}, Cert) ->
    {extension, lists:nth(N, extensions(Cert))};
event({valid_peer, Names, ReferenceIds}, Cert) ->
    %% P07: a wrong name is told in place of the end.
    case hostname(Cert, ReferenceIds, Names) of
        true -> valid_peer;
        false -> {bad_cert, hostname_check_failed}
    end;
event(Event, _Cert) ->
    Event.

%% (The records of public_key have no types, and so cannot be included.)
extensions(Cert) ->
    'OTPCertificate' = element(1, Cert),
    'OTPTBSCertificate' = element(1, element(2, Cert)),
    element(tuple_size(element(2, Cert)), element(2, Cert)).

%% In OTP a fun that fails on the path as a whole has refused it; anywhere else that is an
%% error of its own (R43), which is the caller's to tell.
verdict({bad_path, Reason}, Event, Both, State, Fun) ->
    try ask(Fun, Both, Event, State) of
        {valid, NewState} -> {ok, NewState};
        {fail, _} when Reason =:= max_path_length_reached -> {refused, Event};
        {fail, UserReason} -> {refused, UserReason};
        {unknown, _} -> {refused, Event};
        Other -> error({try_clause, Other})
    catch
        _:_ -> {refused, Event}
    end;
verdict(_Finding, Event, Both, State, Fun) ->
    case ask(Fun, Both, Event, State) of
        {Valid, NewState} when Valid =:= valid; Valid =:= valid_peer -> {ok, NewState};
        {fail, {bad_cert, _} = Reason} -> {refused, Reason};
        {fail, Reason} -> {refused, {bad_cert, Reason}};
        {unknown, NewState} -> unknown(Event, NewState);
        Other -> error({case_clause, Other})
    end.

unknown({extension, {'Extension', _Id, true, _Value}}, _State) ->
    {refused, {bad_cert, unknown_critical_extension}};
unknown({extension, _}, State) ->
    {ok, State};
%% To know nothing about what is broken mends nothing. (OTP goes on.)
unknown({bad_cert, _} = Reason, _State) ->
    {refused, Reason};
unknown(_Event, State) ->
    error({case_clause, {unknown, State}}).

ask(Fun, {Cert, Der}, Event, State) when is_function(Fun, 4) -> Fun(Cert, Der, Event, State);
ask(Fun, {Cert, _Der}, Event, State) when is_function(Fun, 3) -> Fun(Cert, Event, State);
ask(Fun, _Both, {bad_cert, _} = Event, State) ->
    %% The form of R14: fun([Reason]) -> boolean().
    case Fun([Event]) of
        true -> {valid, State};
        false -> {fail, Event}
    end;
ask(_Fun, _Both, {extension, _}, State) -> {unknown, State};
ask(_Fun, _Both, _Event, State) -> {valid, State}.

%% Whether a certificate is for one of the references.
-spec hostname(tuple() | public_key:der_encoded(), list(), list() | undefined) ->
          boolean().
hostname(Cert, ReferenceIds, undefined) ->
    hostname(Cert, ReferenceIds, []);
hostname(Cert, [{dns_id, _Host}] = ReferenceIds, Funs) ->
    public_key:pkix_verify_hostname(Cert, ReferenceIds, Funs);
hostname(Cert, [{ip, Address}], Funs) ->
    public_key:pkix_verify_hostname(Cert, [{ip, address(Address)}], Funs).

%% Whom the user trusts of a path, whose root comes first. A fun that fails trusts nobody.
-spec partial_chain([public_key:der_encoded()], fun()) ->
          unknown_ca | {trusted_ca, public_key:der_encoded()}.
partial_chain(Ders, Fun) ->
    try Fun(Ders) of
        {trusted_ca, Der} when is_binary(Der) -> {trusted_ca, Der};
        unknown_ca -> unknown_ca;
        Other -> error({try_clause, Other})
    catch
        _:_ -> unknown_ca
    end.

address(Text) ->
    case inet:parse_address(Text) of
        {ok, Address} -> Address;
        {error, einval} -> Text
    end.
