%%% @private
%%% Options judged without a connection, as ssl does it for its own modules (`handle_options'):
%%% the record `config' of OTP 25, or the map of options that is in it. The program judges them;
%%% the record is made here.
-module(ssl_port_config).

-export([make/3]).
-export([merge/3]).

-export_type([options/0]).
-export_type([config/0]).

-type options() :: #{atom() => term()}.
%% All options by name, `undefined' for those that are not set. `options' holds the list that it was made of.

-type config() :: {config, options(), InetUser :: [term()], Emulated :: [{atom(), term()}], undefined, undefined,
                   InetSsl :: [term()], ssl_port_transport:cb_info(), ConnectionCb :: tls_gen_connection}.

-define(DEFAULTS, [{packet_size, 0}, {packet, 0}, {header, 0}, {active, true}, {mode, list}]).

%% Names that stand for something else in what ssl makes of options.
-define(OTHERWISE, [cb_info, log_alert, ssl_imp, transport, profile, client_preferred_next_protocols]).

%% What ssl has where nothing is set, and the program leaves unsaid.
-define(UNSAID, #{protocol => tls, renegotiate_at => 268435456}).

%% @throws {error, term()} | {option_not_a_key_value_tuple, term()}
-spec make([term()], client | server, Host :: term()) -> {ok, config()}.
make(Options, Role, Host) when Role =:= client; Role =:= server ->
    Given = written(Options),
    {Info, Ours, Theirs} = split(Given),
    Inet = [bare(Option) || Option <- Theirs] ++ ssl_port_transport:internal_options(),
    {ok, {config, tell(Role, [], Ours, Host), Inet, emulated(Ours), undefined, undefined, Inet, Info,
          tls_gen_connection}}.

%% The options over those of a map that was made here.
%% @throws {error, term()} | {option_not_a_key_value_tuple, term()}
-spec merge([term()], client | server, options()) -> options().
merge(Options, Role, Inherited) ->
    {_Info, Ours, _Theirs} = split(written(Options)),
    case tls(Ours) of
        [] -> Inherited;
        Given -> maps:merge(Inherited, tell(Role, maps:get(options, Inherited, []), Given, undefined))
    end.

written(Options) ->
    case ssl_port_options:written(Options) of
        {ok, Given} -> Given;
        BadOption -> throw(BadOption)
    end.

split(Given) ->
    case ssl_port_transport:split(Given) of
        {ok, Info, Ours, Theirs} -> {Info, Ours, Theirs};
        {error, _} = Error -> throw(Error)
    end.

bare({Family, true}) when Family =:= inet; Family =:= inet6 -> Family;
bare(Option) -> Option.

emulated(Ours) ->
    lists:foldl(fun({Name, _} = Option, Acc) ->
                        case lists:keymember(Name, 1, ?DEFAULTS) of
                            true -> [Option | lists:keydelete(Name, 1, Acc)];
                            false -> Acc
                        end;
                   (_, Acc) ->
                        Acc
                end, ?DEFAULTS, Ours).

tell(Role, Base, Given, Host) ->
    {ok, BelowAsked, BelowFuns} = ssl_port_options:expand(Base, ssl_port_options:environment()),
    {ok, Asked, Funs} = ssl_port_options:expand(Given),
    AllFuns = maps:merge(BelowFuns, Funs),
    case ask({options, Role, BelowAsked, Asked}) of
        {ok, Told} ->
            All = tls(Base ++ Given),
            Unset = maps:merge(maps:from_list([{Name, undefined} || Name <- ssl_port_transport:tls_names()]), ?UNSAID),
            Set = maps:merge(named(Role, Host, maps:from_list(All)),
                             maps:from_list(ssl_port_questions:restore(Told, AllFuns))),
            Selector = maps:get(client_preferred_next_protocols, Set, undefined),
            Named = maps:without(?OTHERWISE, maps:merge(Unset, Set)),
            Named#{next_protocol_selector => Selector, options => All};
        {error, Reason} ->
            throw({error, ssl_port_questions:restore(Reason, AllFuns)})
    end.

tls(Options) ->
    [Option || {Name, _} = Option <- Options, lists:member(Name, ssl_port_transport:tls_names())].

%% A client asks for the host that it connects to.
named(client, [_ | _] = Host, Options) ->
    Name = lists:reverse(lists:dropwhile(fun(Char) -> Char =:= $. end, lists:reverse(Host))),
    maps:merge(#{server_name_indication => Name}, Options);
named(_Role, _Host, Options) -> Options.

ask(Call) ->
    case ssl_port_worker:pick() of
        {ok, {_, Worker, Port, _}} -> ssl_port_worker:call(Worker, Port, 0, Call);
        Error -> Error
    end.
