#!/usr/bin/env escript
%%! -noinput +B
%%% A port program without TLS and without a network: it speaks the frames of
%%% docs/protocol.md, and the host of a connect says how its connection behaves. It lets
%%% the BEAM application be tested apart from the real program.
%%%
%%%   echo      what is sent comes back
%%%   refused   {error, econnrefused}
%%%   silent    never answers anything
%%%   flood     sends numbered data without an end while active
%%%   stall     takes data and acknowledges none; flush says {error, timeout}
%%%   failing   the first send fails with {error, epipe}
%%%   ask       answers connect with what the fun in {verify_fun, {Fun, _}} returns for (1, 2)
%%%   log       writes a log line while connecting
%%%   unknown   answers with an atom that the BEAM side does not have
%%%   options   answers with the options it got: {error, {options, Opts}}
%%%   exit      ends the program with status 3
%%%   hang      reads no frames any more
-mode(compile).

main(_) ->
    process_flag(trap_exit, true),
    Port = open_port({fd, 0, 1}, [binary, {packet, 4}, eof]),
    put(port, Port),
    tell({hello, 1, #{version => <<"0">>, node => node_version(), openssl => <<"none">>}}),
    loop(Port, #{}).

node_version() ->
    list_to_binary(os:getenv("BEAM_NODE_VERSION", "v20.19.0")).

tell(Term) ->
    %% With minor version 2, atoms are SMALL_ATOM_UTF8_EXT, as those of the real program.
    true = port_command(get(port), term_to_binary(Term, [{minor_version, 2}])).

%% In the bytes that a Node.js program writes.
bulk(Name, Id, Data) ->
    true = port_command(get(port),
                        [<<131, 104, 3, 119, (byte_size(Name)), Name/binary, 98, Id:32,
                           109, (byte_size(Data)):32>>, Data]).

loop(Port, Cs) ->
    Flooding = [Id || {Id, #{host := "flood", active := A}} <- maps:to_list(Cs), A =/= false],
    receive
        {Port, {data, Frame}} -> loop(Port, frame(binary_to_term(Frame), Cs));
        {Port, eof} -> halt(0);
        {'EXIT', Port, _} -> halt(0)
    after case Flooding of [] -> infinity; _ -> 0 end ->
        loop(Port, lists:foldl(fun flood/2, Cs, Flooding))
    end.

flood(Id, Cs) ->
    #{Id := #{count := N} = C} = Cs,
    bulk(<<"data_binary">>, Id, <<N:64>>),
    Cs#{Id := C#{count := N + 1}}.

frame({request, Tag, 0, ping}, Cs) ->
    tell({reply, Tag, ok}),
    Cs;
frame({request, Tag, 0, versions}, Cs) ->
    tell({reply, Tag, {ok, [{supported, ['tlsv1.3']}, {available, ['tlsv1.3']},
                            {implemented, ['tlsv1.3']}]}}),
    Cs;
frame({request, Tag, Id, {connect, Host, _Port, Opts, _Timeout}}, Cs) ->
    connect(Host, Tag, Id, Opts, Cs);
frame({request, Tag, Id, {listen, _Port, Opts}}, Cs) ->
    tell({reply, Tag, ok}),
    Cs#{Id => {listener, Opts}};
frame({request, Tag, Id, {accept, ListenId, Timeout}}, Cs) ->
    case Cs of
        #{ListenId := {listener, _}} when Timeout =:= 0 ->
            tell({reply, Tag, {error, timeout}}),
            Cs;
        #{ListenId := {listener, Opts}} ->
            tell({reply, Tag, ok}),
            Cs#{Id => {accepted, Opts}};
        #{} ->
            tell({reply, Tag, {error, closed}}),
            Cs
    end;
frame({request, Tag, Id, {handshake, Opts, _Timeout}}, Cs) ->
    case {Cs, lists:keyfind(fail, 1, Opts)} of
        {#{Id := {accepted, _}}, {fail, Reason}} ->
            tell({reply, Tag, {error, Reason}}),
            Cs#{Id := failed};
        {#{Id := {accepted, Inherited}}, false} ->
            C = connection("echo", Inherited),
            up(Tag, C),
            Cs#{Id := C};
        _ ->
            tell({reply, Tag, {error, closed}}),
            Cs
    end;
frame({request, Tag, Id, Call}, Cs) ->
    case Cs of
        #{Id := failed} -> tell({reply, Tag, {error, closed}}), Cs;
        #{Id := #{host := "silent"}} -> Cs;
        #{Id := C} -> call(Call, Tag, Id, C, Cs);
        #{} -> tell({reply, Tag, {error, closed}}), Cs
    end;
frame({send, Id, Data}, Cs) ->
    case Cs of
        #{Id := #{host := "stall", sent := Sent} = C} ->
            Cs#{Id := C#{sent := Sent + byte_size(Data)}};
        #{Id := #{host := "failing"}} ->
            tell({send_failed, Id}),
            Cs;
        #{Id := #{buffer := Buffer} = C} ->
            true = port_command(get(port), [<<131, 104, 3, 119, 3, "ack", 98, Id:32,
                                              98, (byte_size(Data)):32>>]),
            Cs#{Id := deliver(Id, C#{buffer := <<Buffer/binary, Data/binary>>})};
        #{} -> Cs
    end;
frame({answer, Id, 7, Value}, Cs) ->
    #{Id := #{tag := Tag}} = Cs,
    tell({reply, Tag, {error, {answer, Value}}}),
    Cs;
frame({release, Id}, Cs) ->
    case Cs of
        #{Id := #{waiting := Waiting}} ->
            [tell({reply, Tag, {error, closed}}) || {Tag, _} <- Waiting];
        #{} ->
            ok
    end,
    tell({log, 0, debug, iolist_to_binary(io_lib:format("released ~b", [Id]))}),
    maps:remove(Id, Cs);
frame({cancel, _Id, _Tag}, Cs) ->
    tell({log, 0, debug, <<"cancelled">>}),
    Cs.

connect("refused", Tag, _Id, _Opts, Cs) ->
    tell({reply, Tag, {error, econnrefused}}),
    Cs;
connect("silent", _Tag, _Id, _Opts, Cs) ->
    Cs;
connect("ask", Tag, Id, Opts, Cs) ->
    {verify_fun, {{'$fun', Index, _Arity, _Identity}, '$state'}} = lists:keyfind(verify_fun, 1, Opts),
    tell({question, Id, 7, {apply, Index, [1, 2]}}),
    Cs#{Id => #{tag => Tag}};
connect("unknown", Tag, _Id, _Opts, Cs) ->
    tell({reply, Tag, {error, list_to_atom("never_heard_of_" ++ os:getpid())}}),
    Cs;
connect("options", Tag, _Id, Opts, Cs) ->
    tell({reply, Tag, {error, {options, Opts}}}),
    Cs;
connect("exit", _Tag, _Id, _Opts, _Cs) ->
    halt(3);
connect("hang", _Tag, _Id, _Opts, _Cs) ->
    receive after infinity -> ok end;
connect("log", Tag, Id, Opts, Cs) ->
    tell({log, Id, notice, <<"TLS client: a line">>}),
    connect("echo", Tag, Id, Opts, Cs);
connect(Host, Tag, Id, Opts, Cs) ->
    C = connection(Host, Opts),
    up(Tag, C),
    Cs#{Id => C}.

connection(Host, Opts) ->
    Value = fun(Name, Default) -> proplists:get_value(Name, Opts, Default) end,
    #{host => Host, active => Value(active, true), mode => Value(mode, list),
      packet => Value(packet, 0), buffer => <<>>, waiting => [], count => 0, sent => 0}.

up(Tag, #{active := Active, packet := Packet}) ->
    tell({reply, Tag, {ok, Active, Packet}}).

call(flush, Tag, _Id, #{host := "stall"}, Cs) ->
    tell({reply, Tag, {error, timeout}}),
    Cs;
call(flush, Tag, _Id, #{host := "failing"}, Cs) ->
    tell({reply, Tag, {error, epipe}}),
    Cs;
call(flush, Tag, _Id, _C, Cs) ->
    tell({reply, Tag, ok}),
    Cs;
call({getstat, [send_pend]}, Tag, _Id, #{sent := Sent}, Cs) ->
    tell({reply, Tag, {ok, [{send_pend, Sent}]}}),
    Cs;
call({recv, Length, 0}, Tag, _Id, #{buffer := Buffer}, Cs) when byte_size(Buffer) < Length + 1 ->
    tell({reply, Tag, {error, timeout}}),
    Cs;
call({recv, Length, _Timeout}, Tag, Id, #{waiting := Waiting} = C, Cs) ->
    Cs#{Id := deliver(Id, C#{waiting := Waiting ++ [{Tag, Length}]})};
call({setopts, Opts}, Tag, Id, C0, Cs) ->
    C = maps:merge(C0, maps:with([active, mode, packet], maps:from_list(Opts))),
    up(Tag, C),
    Cs#{Id := deliver(Id, C)};
call({getopts, Names}, Tag, _Id, C, Cs) ->
    tell({reply, Tag, {ok, [{Name, maps:get(Name, C)} || Name <- Names]}}),
    Cs;
call({shutdown, write}, Tag, Id, _C, Cs) ->
    tell({reply, Tag, ok}),
    tell({closed, Id}),
    tell({gone, Id}),
    maps:remove(Id, Cs);
call({shutdown, read}, Tag, Id, _C, Cs) ->
    tell({reply, Tag, ok}),
    tell({error, Id, {tls_alert, {bad_record_mac, "text"}}}),
    Cs;
call(close, Tag, Id, _C, Cs) ->
    tell({reply, Tag, ok}),
    tell({gone, Id}),
    maps:remove(Id, Cs);
call(peername, Tag, _Id, _C, Cs) ->
    tell({reply, Tag, {ok, {{127, 0, 0, 1}, 1}}}),
    Cs;
call(sockname, Tag, _Id, _C, Cs) ->
    tell({reply, Tag, {ok, {{127, 0, 0, 1}, 2}}}),
    Cs;
call(_, Tag, _Id, _C, Cs) ->
    tell({reply, Tag, {error, notsup}}),
    Cs.

deliver(Id, #{active := false, waiting := [{Tag, Length} | Rest], buffer := Buffer, mode := Mode} = C)
  when byte_size(Buffer) >= Length, Buffer =/= <<>> ->
    Take = case Length of 0 -> byte_size(Buffer); _ -> Length end,
    <<Data:Take/binary, Left/binary>> = Buffer,
    <<131, TagBytes/binary>> = term_to_binary(Tag),
    Name = case Mode of binary -> <<"recv_binary">>; list -> <<"recv_list">> end,
    true = port_command(get(port),
                        [<<131, 104, 4, 119, (byte_size(Name)), Name/binary,
                           98, (byte_size(TagBytes)):32>>, TagBytes,
                         <<109, Take:32>>, Data]),
    deliver(Id, C#{waiting := Rest, buffer := Left});
deliver(Id, #{active := Active, buffer := Buffer, mode := Mode} = C)
  when Active =/= false, Buffer =/= <<>> ->
    Name = case Mode of binary -> <<"data_binary">>; list -> <<"data_list">> end,
    bulk(Name, Id, Buffer),
    case Active of
        true -> C#{buffer := <<>>};
        once -> C#{buffer := <<>>, active := false};
        1 -> tell({passive, Id}), C#{buffer := <<>>, active := false};
        N -> C#{buffer := <<>>, active := N - 1}
    end;
deliver(_Id, C) ->
    C.
