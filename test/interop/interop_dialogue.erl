%% A conversation with a command line program: say something on its input, wait for words in its output.
-module(interop_dialogue).

-export([open/2, say/2, expect/2, close/1]).
-export_type([dialogue/0]).

-include("interop.hrl").

-opaque dialogue() :: port().

-spec open(string(), [string()]) -> dialogue().
open(Name, Arguments) ->
    process_flag(trap_exit, true),
    Port = open_port({spawn_executable, interop_program:executable("sh")},
                     [{args, ["-c", "exec \"$@\" 2>&1", "sh", interop_program:executable(Name) | Arguments]},
                      {env, [{"OPENSSL_CONF", "/dev/null"}]}, binary, exit_status, hide]),
    put({heard, Port}, <<>>),
    Port.

-spec say(dialogue(), iodata()) -> ok.
say(Port, Text) ->
    true = port_command(Port, Text),
    ok.

%% Waits for a text; what stands before it is gone afterwards.
-spec expect(dialogue(), string()) -> ok.
expect(Port, Text) ->
    expect(Port, list_to_binary(Text), erlang:monotonic_time(millisecond) + ?TIMEOUT).

expect(Port, Text, Until) ->
    Heard = get({heard, Port}),
    case binary:split(Heard, Text) of
        [_, After] ->
            put({heard, Port}, After),
            ok;
        [_] ->
            receive
                {Port, {data, More}} ->
                    put({heard, Port}, <<Heard/binary, More/binary>>),
                    expect(Port, Text, Until);
                {Port, {exit_status, Status}} ->
                    throw({failed, {ended, Status, last(Heard)}})
            after max(0, Until - erlang:monotonic_time(millisecond)) ->
                throw({failed, {never_said, Text, last(Heard)}})
            end
    end.

last(Heard) -> binary:part(Heard, byte_size(Heard), -min(300, byte_size(Heard))).

-spec close(dialogue()) -> ok.
close(Port) ->
    interop_program:kill(Port).
