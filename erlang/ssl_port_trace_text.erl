%%% @private
%%% The text of what ssl_port_trace brings: steps, explanations and verdicts as lines for a reader.
-module(ssl_port_trace_text).

-export([format/1]).
-export([reason/1]).

%% Columns.
-define(INDENT, 14).
-define(NAME_WIDTH, 22).
-define(WIDTH, 64).

-spec format(ssl_port_trace:step() | ssl_port_trace:explanation() | ssl_port_trace:verdict()) -> iodata().
format(#{dropped := N}) ->
    io_lib:format("          … ~b steps were not told~n", [N]);
format(#{time := Time, direction := Direction, kind := Kind, name := Name, fields := Fields} = Step) ->
    Head = io_lib:format("~9.3f ms  ~s ~ts~ts~ts~n",
                         [Time / 1000, arrow(Direction), title(Kind, Name), length_of(Fields),
                          connection(Step)]),
    [Head | fields(Kind, Fields)];
format(#{subject := Subject, candidate := Candidate, reason := chosen}) ->
    io_lib:format("~ts ~ts was chosen~n", [word(Subject), value(Candidate)]);
format(#{subject := Subject, candidate := Candidate, reason := Reason, chosen := Chosen}) ->
    io_lib:format("~ts ~ts was not chosen: ~ts (chosen: ~ts)~n",
                  [word(Subject), value(Candidate), reason(Reason), value(Chosen)]);
format(#{role := Role} = Explanation) ->
    [io_lib:format("as the ~s~n", [Role]),
     [io_lib:format("failed with ~tp~n", [Reason])
      || #{failure := #{reason := Reason}} <- [Explanation]],
     [[word(Subject), $\n, fields(decision, choice(maps:get(Subject, Explanation)))]
      || Subject <- [version, resumption, cipher_suite, group, certificate, signature_scheme, alpn],
         is_map_key(Subject, Explanation)]].

choice(Choice) ->
    [{Name, maps:get(Name, Choice)}
     || Name <- [chosen, own, peer, passed_over, order, certificates], is_map_key(Name, Choice)].

arrow(sent) -> "->";
arrow(received) -> "<-";
arrow(local) -> "  ".

title(handshake, Name) -> word(Name);
title(alert, Name) -> ["alert ", word(Name)];
title(decision, Name) -> ["choice of ", word(Name)];
title(question, answered) -> "the program has answered";
title(question, Name) -> ["waits for the program: ", word(Name)];
title(keys, _Name) -> "new keys";
title(closed, How) -> ["closed: ", word(How)];
title(change_cipher_spec, _Name) -> "change_cipher_spec";
title(Kind, _Name) -> word(Kind).

length_of([{size, Size} | _]) -> io_lib:format(", ~b bytes", [Size]);
length_of(_) -> "".

connection(#{connection := Id}) -> io_lib:format("  [~b]", [Id]);
connection(#{}) -> "".

fields(Kind, Fields) -> [field(Kind, Name, Value) || {Name, Value} <- Fields, is_told(Name, Value)].

%% What both sides had stands in the hello and in what was passed over.
is_told(_Name, []) -> false;
is_told(_Name, <<>>) -> false;
is_told(size, _Size) -> false;
is_told(own, _List) -> false;
is_told(peer, List) when is_list(List) -> false;
is_told(peer, unknown) -> false;
is_told(_Name, _Value) -> true.

field(decision, passed_over, Candidates) ->
    Reasons = lists:usort([Reason || {_, Reason} <- Candidates]),
    [line("passed over", [lists:join(", ", [value(Candidate) || {Candidate, R} <- Candidates,
                                                                R =:= Reason]),
                          ": ", reason(Reason)])
     || Reason <- Reasons];
field(decision, certificates, Certificates) ->
    [line(["certificate ", integer_to_list(N)], [value(maps:to_list(Certificate))])
     || {N, Certificate} <- lists:zip(lists:seq(1, length(Certificates)), Certificates)];
field(_Kind, extensions, Extensions) ->
    [line(word(name(Name)), value(Value)) || {Name, Value} <- Extensions];
field(_Kind, reason, Reason) when is_list(Reason) ->
    line("reason", string:trim(Reason));
field(_Kind, Name, Value) ->
    line(word(Name), value(Value)).

name({unknown, Code}) -> list_to_binary(io_lib:format("extension ~b", [Code]));
name(Name) -> Name.

line(Name, Value) ->
    Words = string:lexemes(unicode:characters_to_list(Value), " "),
    Head = string:pad(unicode:characters_to_list(Name), ?NAME_WIDTH),
    [lists:duplicate(?INDENT, $\s), Head, $\s,
     lists:join([$\n, lists:duplicate(?INDENT + ?NAME_WIDTH + 1, $\s)], wrap(Words)), $\n].

wrap(Words) ->
    lists:reverse(lists:foldl(fun wrap/2, [], Words)).

wrap(Word, [Line | Lines]) when length(Line) + length(Word) < ?WIDTH -> [Line ++ " " ++ Word | Lines];
wrap(Word, Lines) -> [Word | Lines].

word(Word) when is_atom(Word) -> atom_to_list(Word);
word(Word) when is_binary(Word); is_list(Word) -> Word.

value(true) -> "yes";
value({bytes, N}) -> io_lib:format("(~b bytes)", [N]);
value({unknown, Code}) -> io_lib:format("~b", [Code]);
value({more, N}) -> io_lib:format("… ~b more", [N]);
value({Name, {bytes, N}}) -> io_lib:format("~ts (~b bytes)", [value(Name), N]);
value({Name, Value}) -> [value(Name), $\s, value(Value)];
value(Atom) when is_atom(Atom) -> atom_to_list(Atom);
value(Number) when is_integer(Number) -> integer_to_list(Number);
value(Binary) when is_binary(Binary) -> binary(Binary);
value([]) -> "none";
value(List) when is_list(List) ->
    case io_lib:printable_unicode_list(List) of
        true -> List;
        false -> lists:join(", ", [value(Element) || Element <- List])
    end;
value(Other) -> io_lib:format("~tp", [Other]).

%% Names of protocols are text; what else is binary is shown in hexadecimal.
binary(Binary) when byte_size(Binary) < 20 ->
    case io_lib:printable_latin1_list(binary_to_list(Binary)) of
        true -> Binary;
        false -> hex(Binary)
    end;
binary(Binary) -> hex(Binary).

hex(Binary) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Binary].

-spec reason(atom()) -> string().
reason(not_enabled) -> "not enabled by the own options";
reason(not_offered) -> "the peer did not offer it";
reason(not_taken) -> "offered; the server chose otherwise";
reason(not_needed) -> "nothing needed it";
reason(not_asked_for) -> "the server asked for no certificate";
reason(not_of_version) -> "not of the version";
reason(not_decided) -> "the handshake ended before it came to that";
reason(no_answer) -> "offered; the server did not come to choose";
reason(no_offer) -> "no ClientHello has come";
reason(no_version) -> "no version was agreed on";
reason(no_key_share) -> "its key share was not there, that of the chosen one was";
reason(no_shared_scheme) -> "its key makes no signature that the peer accepts";
reason(no_shared_group) -> "no group for it is shared";
reason(no_user_name) -> "it needs a user name";
reason(no_suitable_certificate) -> "no own certificate fits it and what the peer accepts";
reason(older) -> "a newer one is shared";
reason(less_preferred) -> "another one is preferred";
reason(resumed) -> "the session that was resumed decides";
reason(key_not_usable) -> "the key exchange has no use for its key";
reason(chain_not_accepted) -> "the peer does not accept the signatures in its chain";
reason(other_issuer) -> "issued by none of the authorities that the peer names";
reason(other_key) -> "for a key of another type";
reason(other_curve) -> "for a key on another curve";
reason(key_too_short) -> "the key is too short for it";
reason(restricted_key) -> "the key is restricted to other parameters";
reason(chosen) -> "chosen";
reason(Other) -> atom_to_list(Other).
