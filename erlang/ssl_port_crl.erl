%%% @private
%%% The CRL cache modules of OTP's `ssl' (`ssl_crl_cache', `ssl_crl_hash_dir') and users' own
%%% of that behaviour (`ssl_crl_cache_api'), asked for the lists of a certificate. The port
%%% program knows certificates as bytes; the modules want the records of `public_key'.
-module(ssl_port_crl).

-export([crls/4]).
-export([fresh_crl/4]).

-export_type([source/0]).

-type source() :: distribution_points | issuer.

%% The lists of all distribution points of a certificate, or those of its issuer. Point 0 is
%% the first; a certificate has none or some.
-spec crls(source(), Cert :: binary(), State :: term(), module()) -> [binary()].
crls(Source, Der, State, Module) ->
    Cert = public_key:pkix_decode_cert(Der, otp),
    wanted(Source, Cert, Module, handle(State)).

wanted(distribution_points, Cert, Module, Handle) ->
    Issuer = issuer(Cert),
    lists:usort(lists:append([lists_of(lookup(Module, Point, Issuer, Handle))
                              || Point <- public_key:pkix_dist_points(Cert)]));
wanted(issuer, Cert, Module, Handle) ->
    {'DistributionPoint', {fullName, Names}, _, _} = public_key:pkix_dist_point(Cert),
    lists:usort(lists:append([lists_of(Module:select(Name, Handle))
                              || {directoryName, Name} <- Names])).

%% The field of the record: its header has records without types, which are warned of here.
issuer({'OTPCertificate', TbsCertificate, _, _}) ->
    element(5, TbsCertificate).

%% The older behaviour had no issuer.
lookup(Module, Point, Issuer, Handle) ->
    _ = code:ensure_loaded(Module),
    case erlang:function_exported(Module, lookup, 3) of
        true -> Module:lookup(Point, Issuer, Handle);
        false -> Module:lookup(Point, Handle)
    end.

%% A successor of a list that is out of date; the list itself when there is none.
-spec fresh_crl(Cert :: binary(), Point :: non_neg_integer() | issuer, CRL :: binary(), module()) ->
          [binary()].
fresh_crl(CertDer, Index, Der, Module) ->
    Cert = public_key:pkix_decode_cert(CertDer, otp),
    Point = case Index of
                issuer -> public_key:pkix_dist_point(Cert);
                _ -> lists:nth(Index + 1, public_key:pkix_dist_points(Cert))
            end,
    %% as public_key hands it over: a pair of the bytes and the record
    Current = {Der, public_key:der_decode('CertificateList', Der)},
    lists_of(Module:fresh_crl(Point, Current)).

lists_of(not_available) -> [];
lists_of({logger, {Level, Report, Meta}, Lists}) ->
    logger:log(Level, Report, Meta),
    lists_of(Lists);
lists_of(Der) when is_binary(Der) -> [Der];
lists_of({Der, _Decoded}) when is_binary(Der) -> [Der];
lists_of(Lists) when is_list(Lists) -> lists:append([lists_of(List) || List <- Lists]).

%% `internal' is the cache that ssl_crl_cache:insert/1 and insert/2 write to: tables of the
%% manager process of the ssl application.
handle({internal, Args}) -> {internal_tables(), Args};
handle(Handle) -> Handle.

internal_tables() ->
    case application:ensure_all_started(ssl) of
        {ok, _} ->
            put(ssl_manager, ssl_manager:name(normal)),
            Cache = {ssl_crl_cache, {internal, []}},
            {ok, #{crl_db_info := {ssl_crl_cache, {Tables, []}}}} =
                ssl_manager:connection_init(<<>>, client, Cache),
            Tables;
        {error, Reason} ->
            error({ssl_not_started, Reason})
    end.
