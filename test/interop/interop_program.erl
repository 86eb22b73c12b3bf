%% A program of a peer. Either one that lives through the run: its lines are answers to questions that each
%% have a number; or one that makes a single connection: fed on its input and heard on its output.
-module(interop_program).

-export([start/3, ask/2, stop/1, converse/4, executable/1, kill/1]).

-include("interop.hrl").

%% Starts a program and waits until `Ready' says true of a line or, as `{listens, Port}', until it listens.
%% Gives all lines before that.
-spec start(string(), [string()], fun((string()) -> boolean()) | {listens, inet:port_number()}) ->
          {pid(), [string()]}.
start(Name, Arguments, Ready) ->
    Caller = self(),
    {Pid, Monitor} = spawn_monitor(fun() -> init(Caller, Name, Arguments, Ready) end),
    receive
        {Pid, ready, Lines} -> demonitor(Monitor, [flush]), {Pid, Lines};
        {'DOWN', Monitor, process, Pid, Reason} -> error({Name, Arguments, Reason})
    after 4 * ?TIMEOUT ->
        exit(Pid, kill),
        error({Name, Arguments, does_not_start})
    end.

%% One question to a program that answers lines of the form `ID ok' or `ID failed REASON'.
-spec ask(pid(), iodata()) -> ok | {failed, string()}.
ask(Pid, Question) ->
    Monitor = monitor(process, Pid),
    Pid ! {ask, self(), Monitor, Question},
    receive
        {Monitor, Answer} -> demonitor(Monitor, [flush]), Answer;
        {'DOWN', Monitor, process, Pid, Reason} -> {failed, lists:flatten(io_lib:format("~tp", [Reason]))}
    after 2 * ?TIMEOUT ->
        demonitor(Monitor, [flush]),
        {failed, "no answer"}
    end.

-spec stop(pid()) -> ok.
stop(Pid) ->
    Monitor = monitor(process, Pid),
    Pid ! stop,
    receive {'DOWN', Monitor, process, Pid, _} -> ok end.

init(Caller, Name, Arguments, Ready) ->
    process_flag(trap_exit, true),
    Port = open(Name, Arguments, [{line, 10000}]),
    Lines = case Ready of
                {listens, Number} -> wait_until_listening(Number, 400), [];
                _ -> lines(Port, Ready, [])
            end,
    Caller ! {self(), ready, Lines},
    loop(Port, monitor(process, Caller), 1, #{}).

lines(Port, Ready, Lines) ->
    receive
        {Port, {data, {_, Line}}} ->
            case Ready(Line) of
                true -> lists:reverse(Lines);
                false -> lines(Port, Ready, [Line | Lines])
            end;
        {Port, {exit_status, Status}} ->
            exit({ended, Status, lists:sublist(Lines, 5)})
    end.

wait_until_listening(Number, Tries) ->
    case gen_tcp:connect({127, 0, 0, 1}, Number, []) of
        {ok, Socket} -> gen_tcp:close(Socket);
        {error, _} when Tries > 0 -> timer:sleep(25), wait_until_listening(Number, Tries - 1);
        {error, Reason} -> exit(Reason)
    end.

loop(Port, Caller, Next, Waiting) ->
    receive
        {ask, From, Tag, Question} ->
            true = port_command(Port, [integer_to_list(Next), " ", Question, "\n"]),
            loop(Port, Caller, Next + 1, Waiting#{Next => {From, Tag}});
        {Port, {data, {_, Line}}} ->
            loop(Port, Caller, Next, answer(Line, Waiting));
        {Port, {exit_status, Status}} ->
            exit({ended, Status});
        {'DOWN', Caller, process, _, _} ->
            kill(Port);
        stop ->
            kill(Port)
    end.

%% Lines that answer nothing are what the program says of its own accord.
answer(Line, Waiting) ->
    case string:split(Line, " ") of
        [Id, Rest] ->
            try maps:take(list_to_integer(Id), Waiting) of
                {{From, Tag}, Others} -> From ! {Tag, answer(Rest)}, Others;
                error -> Waiting
            catch
                error:badarg -> Waiting
            end;
        _ ->
            Waiting
    end.

answer("ok" ++ _) -> ok;
answer("failed " ++ Reason) -> {failed, Reason}.

%% Runs a program that makes one connection: gives it `Input', and waits until it has said `Expected' in full.
-spec converse(string(), [string()], binary(), binary()) -> ok | {failed, term()}.
converse(Name, Arguments, Input, Expected) ->
    process_flag(trap_exit, true),      % a program that ends early is an answer, too
    Port = open(Name, Arguments, [binary]),
    true = port_command(Port, Input),
    Result = hear(Port, Expected, 0, []),
    kill(Port),
    Result.

hear(_Port, Expected, Length, Heard) when Length >= byte_size(Expected) ->
    case iolist_to_binary(lists:reverse(Heard)) of
        Expected -> ok;
        _ -> {failed, "other bytes came back"}
    end;
hear(Port, Expected, Length, Heard) ->
    receive
        {Port, {data, Data}} -> hear(Port, Expected, Length + byte_size(Data), [Data | Heard]);
        {Port, {exit_status, Status}} -> {failed, {ended, Status, Length}};
        {'EXIT', Port, Reason} -> {failed, Reason}
    after ?TIMEOUT ->
        {failed, {heard_only, Length}}
    end.

%% What programs say on standard error is kept in a file; OpenSSL's is not to be limited by a policy of the
%% system.
open(Name, Arguments, Options) ->
    open_port({spawn_executable, executable("sh")},
              [{args, ["-c", "exec \"$@\" 2>>build/interop/peers.log", "sh", executable(Name) | Arguments]},
               {env, [{"OPENSSL_CONF", "/dev/null"}, {"NODE_EXTRA_CA_CERTS", false}]},
               exit_status, hide | Options]).

%% Ends a program at once.
-spec kill(port()) -> ok.
kill(Port) ->
    case erlang:port_info(Port, os_pid) of
        {os_pid, Pid} ->
            _ = os:cmd("kill -9 " ++ integer_to_list(Pid)),
            catch port_close(Port);
        undefined ->
            ok
    end,
    ok.

-spec executable(string()) -> string().
executable(Name) ->
    case {filename:pathtype(Name), os:find_executable(Name)} of
        {relative, Found} when is_list(Found) -> Found;
        _ -> filename:absname(Name)
    end.
