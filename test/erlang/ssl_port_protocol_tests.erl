%% The frames of docs/protocol.md, byte for byte, and the parity of both sides over one
%% file of samples.
-module(ssl_port_protocol_tests).

-include_lib("eunit/include/eunit.hrl").

-define(SAMPLES, "test/vectors/protocol_samples.eterm").

send_is_one_flat_tuple_test() ->
    Data = <<"some bytes">>,
    Frame = iolist_to_binary([ssl_port_protocol:send_prefix(16#01020304, 10), Data]),
    ?assertEqual({send, 16#01020304, Data}, binary_to_term(Frame)),
    ?assertEqual(<<131, 104, 3, 119, 4, "send", 98, 1, 2, 3, 4, 109, 0, 0, 0, 10,
                   "some bytes">>, Frame).

bulk_frames_keep_the_payload_in_place_test() ->
    Data = binary:copy(<<"x">>, 100000),
    Frame = bulk({data_binary, 7, Data}),
    {data_binary, 7, Part} = ssl_port_protocol:decode(Frame),
    ?assertEqual(Data, Part),
    %% A sub-binary refers to all of the frame.
    ?assertEqual(byte_size(Frame), binary:referenced_byte_size(Part)).

bulk_terms_in_another_encoding_test() ->
    Tag = make_ref(),
    [?assertEqual(Event, ssl_port_protocol:decode(term_to_binary(Term)))
     || {Term, Event} <- [{{data_binary, 1, <<"a">>}, {data_binary, 1, <<"a">>}},
                          {{data_list, 300, <<"a">>}, {data_list, 300, <<"a">>}},
                          {{ack, 1, 2}, {ack, 1, 2}},
                          {{recv_binary, 1, Tag, <<>>}, {recv_binary, Tag, <<>>}},
                          {{recv_list, 1, Tag, <<>>}, {recv_list, Tag, <<>>}}]].

frames_that_do_not_decode_test() ->
    [?assertEqual({undecodable, Frame}, ssl_port_protocol:decode(Frame))
     || Frame <- [<<>>, <<131>>, <<"text">>, term_to_binary(foo), term_to_binary({closed, x}),
                  term_to_binary({log, 1, loud, <<"t">>}), term_to_binary({reply, 1}),
                  <<131, 104, 3, 119, 11, "data_binary", 98, 0, 0, 0, 1, 109, 0, 0, 0, 9, "x">>]].

no_new_atom_is_made_test() ->
    Tag = make_ref(),
    Name = <<"no_atom_of_this_name_", (integer_to_binary(erlang:unique_integer([positive])))/binary>>,
    <<131, TagBytes/binary>> = term_to_binary(Tag, [{minor_version, 2}]),
    Frame = <<131, 104, 3, 119, 5, "reply", TagBytes/binary,
              104, 2, 119, 5, "error", 119, (byte_size(Name)), Name/binary>>,
    ?assertEqual({undecodable_reply, Tag}, ssl_port_protocol:decode(Frame)),
    ?assertError(badarg, binary_to_existing_atom(Name, utf8)).

%% Parity.

parity_test_() ->
    {ok, Samples} = file:consult(samples()),
    ?assert(length(Samples) >= 20),
    Tag = make_ref(),
    [{lists:flatten(io_lib:format("~0P", [Sample, 8])), fun() -> parity(replace(Sample, Tag)) end}
     || Sample <- Samples, element(1, Sample) =/= refused].

samples() ->
    case filelib:is_regular(?SAMPLES) of
        true -> ?SAMPLES;
        %% rebar3 runs in the same folder; a runner elsewhere goes by this file's place.
        false -> filename:join([filename:dirname(?FILE), "../..", ?SAMPLES])
    end.

parity({to_node, Name, Term}) ->
    %% What this side builds is that term, and there is no shape it cannot build.
    ?assertEqual({Name, Term}, {Name, binary_to_term(iolist_to_binary(build(Term)))});
parity({to_beam, Name, Term}) ->
    Event = ssl_port_protocol:decode(encode(Term)),
    ?assertEqual({Name, expected(Term)}, {Name, Event}),
    %% Every atom in it is written down, so that [safe] lets it in on any node.
    ?assertEqual({Name, []}, {Name, atoms(Term) -- atoms_known()});
parity({call, Name, Call}) ->
    ?assertEqual(Name, case Call of _ when is_atom(Call) -> Call; _ -> element(1, Call) end),
    parity({to_node, request, {request, make_ref(), 7, Call}});
parity({result, _Name, Result}) ->
    parity({to_beam, reply, {reply, make_ref(), Result}});
parity({bytes, send, Term, Bytes}) ->
    ?assertEqual(Bytes, iolist_to_binary(build(Term)));
parity({bytes, Name, Term, Bytes}) ->
    ?assertEqual(Bytes, bulk(Term)),
    ?assertEqual({Name, expected(Term)}, {Name, ssl_port_protocol:decode(Bytes)});
parity({atoms, Names}) ->
    %% The same list on both sides.
    ?assertEqual(lists:usort(Names), lists:usort(ssl_port_protocol:atoms())).

build({request, Tag, Id, Call}) -> ssl_port_protocol:request(Tag, Id, Call);
build({cancel, Id, Tag}) -> ssl_port_protocol:cancel(Id, Tag);
build({send, Id, Data}) -> [ssl_port_protocol:send_prefix(Id, byte_size(Data)), Data];
build({answer, Id, QuestionId, Value}) -> ssl_port_protocol:answer(Id, QuestionId, Value);
build({release, Id}) -> ssl_port_protocol:release(Id);
build({tunnel, Id, Data}) -> [ssl_port_protocol:tunnel_prefix(Id, byte_size(Data)), Data];
build({tunnel_ack, Id, Bytes}) -> ssl_port_protocol:tunnel_ack(Id, Bytes);
build({tunnel_end, Id, Reason}) -> ssl_port_protocol:tunnel_end(Id, Reason);
build({tunnel_failed, Id, Reason}) -> ssl_port_protocol:tunnel_failed(Id, Reason).

expected({recv_binary, _Size, Tag, Data}) -> {recv_binary, Tag, Data};
expected({recv_list, _Size, Tag, Data}) -> {recv_list, Tag, Data};
expected(Term) -> Term.

encode(Term) ->
    case element(1, Term) of
        Name when Name =:= data_binary; Name =:= data_list; Name =:= ack; Name =:= tunnel;
                  Name =:= recv_binary; Name =:= recv_list -> bulk(Term);
        _ -> term_to_binary(Term, [{minor_version, 2}])
    end.

%% As the program writes them.
bulk({ack, Id, Bytes}) ->
    <<131, 104, 3, 119, 3, "ack", 98, Id:32, 98, Bytes:32>>;
bulk({Name, Id, Data}) ->
    Text = atom_to_binary(Name, utf8),
    <<131, 104, 3, 119, (byte_size(Text)), Text/binary, 98, Id:32,
      109, (byte_size(Data)):32, Data/binary>>;
bulk({Name, _Size, Tag, Data}) ->
    Text = atom_to_binary(Name, utf8),
    <<131, TagBytes/binary>> = term_to_binary(Tag, [{minor_version, 2}]),
    <<131, 104, 4, 119, (byte_size(Text)), Text/binary, 98, (byte_size(TagBytes)):32,
      TagBytes/binary, 109, (byte_size(Data)):32, Data/binary>>.

replace('$tag', Tag) -> Tag;
replace(Tuple, Tag) when is_tuple(Tuple) ->
    list_to_tuple([replace(E, Tag) || E <- tuple_to_list(Tuple)]);
replace([Head | Tail], Tag) -> [replace(Head, Tag) | replace(Tail, Tag)];
replace(Term, _Tag) -> Term.

atoms(Atom) when is_atom(Atom) -> [Atom];
atoms(Tuple) when is_tuple(Tuple) -> lists:usort(lists:flatmap(fun atoms/1, tuple_to_list(Tuple)));
atoms([Head | Tail]) -> lists:usort(atoms(Head) ++ atoms(Tail));
atoms(Map) when is_map(Map) -> atoms(maps:to_list(Map));
atoms(_) -> [].

atoms_known() -> ['$fun', '$callback', [] | ssl_port_protocol:atoms()].
