%% `ftp' of OTP over TLS. All servers but the one of implicit TLS take data connections only in the session of
%% the control connection.
-module(programs_ftp).

-export([start/0]).
-compile([export_all, nowarn_export_all]).

-import(programs_cases, [client/1, client/2]).

start() ->
    {ok, _} = application:ensure_all_started(ftp),
    {ok, _} = application:ensure_all_started(ssl),
    ok.

open(Server, Config, Tls, Options) ->
    ftp:open("localhost", [{port, list_to_integer(maps:get(Server, Config))}, {tls, Tls},
                           {timeout, 20000}, {dtimeout, 20000} | Options]).

logged_in(Server, Config, Tls, Options) ->
    {ok, Ftp} = open(Server, Config, Tls, Options),
    ok = ftp:user(Ftp, "tester", "secret"),
    ok = ftp:type(Ftp, binary),
    Ftp.

case_tls12(Config) ->
    all(logged_in(tls12, Config, [{versions, ['tlsv1.2']}, {reuse_sessions, save} | client(Config)],
                  [{tls_ctrl_session_reuse, true}]), "tls12").

case_tls12_active_mode(Config) ->
    all(logged_in(tls12, Config, [{versions, ['tlsv1.2']}, {reuse_sessions, save} | client(Config)],
                  [{tls_ctrl_session_reuse, true}, {mode, active}]), "active").

%% Without it ProFTPD gives no data.
case_tls12_no_session_reuse(Config) ->
    Ftp = logged_in(tls12, Config, [{versions, ['tlsv1.2']}, {reuse_sessions, false} | client(Config)], []),
    {error, _} = ftp:nlist(Ftp),
    ok = ftp:close(Ftp).

%% In TLS 1.3 sessions are tickets, each used once, as by `ssl'; ProFTPD gives out a few with a control connection
%% and none where one is resumed, so that after a few transfers it refuses the next.
case_tls13_session_tickets(Config) ->
    Ftp = logged_in(tls13, Config, [{versions, ['tlsv1.3']}, {session_tickets, auto} | client(Config)], []),
    ok = ftp:send_bin(Ftp, <<"ticket">>, "ticket"),
    {ok, <<"ticket">>} = ftp:recv_bin(Ftp, "ticket"),
    ok = ftp:close(Ftp).

case_client_certificate(Config) ->
    all(logged_in(strict, Config, [{versions, ['tlsv1.2']}, {reuse_sessions, save}
                                   | client(with_certificate, Config)],
                  [{tls_ctrl_session_reuse, true}]), "strict").

case_client_certificate_missing(Config) ->
    {error, _} = open(strict, Config, [{versions, ['tlsv1.2']} | client(Config)], []),
    ok.

case_unknown_authority(Config) ->
    {error, _} = open(tls12, Config, client(of_strangers, Config), []),
    ok.

%% Of the versions that are there, TLS 1.3 is taken.
case_implicit(Config) ->
    all(logged_in(implicit, Config, client(Config), [{tls_sec_method, ftps}]), "implicit").

%% Two megabytes there and back, in one piece and in chunks; names; an append; what is not there.
all(Ftp, Name) ->
    Data = rand:bytes(2000000),
    ok = ftp:mkdir(Ftp, Name),
    ok = ftp:cd(Ftp, Name),
    ok = ftp:send_bin(Ftp, Data, "big"),
    {ok, Data} = ftp:recv_bin(Ftp, "big"),
    ok = ftp:send_chunk_start(Ftp, "chunks"),
    [ok = ftp:send_chunk(Ftp, Part) || Part <- parts(Data, 70001)],
    ok = ftp:send_chunk_end(Ftp),
    ok = ftp:recv_chunk_start(Ftp, "chunks"),
    Data = chunks(Ftp, []),
    ok = ftp:append_bin(Ftp, <<"tail">>, "chunks"),
    {ok, Longer} = ftp:recv_bin(Ftp, "chunks"),
    Longer = <<Data/binary, "tail">>,
    {ok, Names} = ftp:nlist(Ftp),
    ["big", "chunks"] = lists:sort(string:lexemes(Names, [$\r, $\n, "\r\n"])),
    {ok, [_ | _]} = ftp:ls(Ftp),
    ok = ftp:rename(Ftp, "big", "renamed"),
    ok = ftp:delete(Ftp, "renamed"),
    {error, epath} = ftp:recv_bin(Ftp, "renamed"),
    ok = ftp:close(Ftp).

parts(Data, Size) when byte_size(Data) =< Size -> [Data];
parts(Data, Size) ->
    {Part, Rest} = split_binary(Data, Size),
    [Part | parts(Rest, Size)].

chunks(Ftp, Acc) ->
    case ftp:recv_chunk(Ftp) of
        {ok, Part} -> chunks(Ftp, [Part | Acc]);
        ok -> iolist_to_binary(lists:reverse(Acc))
    end.
