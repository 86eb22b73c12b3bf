%%% @private
%%% Words for people: the texts of format_error/1 (R44), of a start that failed, and of
%%% the lines that go to logger.
-module(ssl_port_format).

-export([format/1]).
-export([log/2]).
-export([report/1]).

-spec format(term()) -> string().
format({error, Reason}) ->
    format(Reason);
%% As with ssl, of any list.
format(Reason) when is_list(Reason) ->
    Reason;
format(Reason) ->
    lists:flatten(text(Reason)).

text(closed) ->
    "TLS connection is closed";
text({tls_alert, {_Description, Text}}) when is_list(Text) ->
    Text;
text({tls_alert, Text}) when is_list(Text) ->
    "TLS Alert: " ++ Text;
text({options, {Type, File, Reason}})
  when Type =:= cacertfile; Type =:= certfile; Type =:= keyfile; Type =:= dhfile ->
    io_lib:format("Invalid ~s file ~ts: ~ts", [file(Type), printable(File), file_error(Reason)]);
text({options, {key_does_not_match_certificate, Certificate, Key}}) ->
    io_lib:format("The key ~ts is not that of the certificate ~ts", [source(Key), source(Certificate)]);
text({keyfile, Reason}) ->
    io_lib:format("The fun of the option password gave no password: ~0tp", [Reason]);
text({options, {socket_options, Option, Reason}}) ->
    io_lib:format("Invalid transport socket option ~tp: ~ts", [Option, format(Reason)]);
text({options, {socket_options, Option}}) ->
    io_lib:format("Invalid socket option: ~tp", [Option]);
text({options, Option}) ->
    io_lib:format("Invalid TLS option: ~tp", [Option]);
text(ssl_not_started) ->
    "The application ssl_port is not started";
text({ssl_port, Reason}) ->
    start(Reason);
text(Reason) when is_atom(Reason) ->
    case inet:format_error(Reason) of
        "unknown POSIX error" ++ _ -> unexpected(Reason);
        Text -> Text
    end;
text(Reason) ->
    start(Reason).

%% Why the application does not start.
start({node_not_found, Node}) ->
    io_lib:format("the Node.js executable ~ts was not found; install Node.js 20.19 or newer, "
                  "or set {ssl_port, [{node, Path}]}", [printable(Node)]);
start({node_too_old, Version, Needed}) ->
    io_lib:format("Node.js ~ts is too old, ~ts is needed", [Version, Needed]);
start({program_not_found, Main}) ->
    io_lib:format("the port program ~ts is not there; build it with `make build', or set "
                  "{ssl_port, [{main, Path}]}", [printable(Main)]);
start({node_exited, Node, Status}) ->
    io_lib:format("~ts ended with ~0tp before its first word; its own message is on standard "
                  "error", [printable(Node), Status]);
start({no_hello, Node}) ->
    io_lib:format("~ts runs, but does not speak the port protocol", [printable(Node)]);
start({protocol_version, _Node, Theirs, Ours}) ->
    io_lib:format("the port program speaks version ~0tp of the port protocol, this application "
                  "~0tp", [Theirs, Ours]);
start({node_not_started, Node, Reason}) ->
    io_lib:format("~ts cannot be run: ~0tp", [printable(Node), Reason]);
start({bad_env, {Name, Value}}) ->
    io_lib:format("the application environment {ssl_port, [{~0tp, ~0tp}]} is not valid", [Name, Value]);
start({session_cb, Module, {Class, Reason}}) ->
    io_lib:format("the session cache ~0tp (session_cb) does not start: ~0tp ~0tp", [Module, Class, Reason]);
start(undecodable_reply) ->
    "the port program sent a reply that does not decode";
start(Reason) ->
    unexpected(Reason).

unexpected(Reason) ->
    io_lib:format("Unexpected error: ~tp", [Reason]).

file(cacertfile) -> "CA certificate";
file(certfile) -> "certificate";
file(keyfile) -> "key";
file(dhfile) -> "DH params".

%% What ssl calls a decoding error, and the program can tell apart.
file_error({error, Reason}) -> file_error(Reason);
file_error(no_certificate) -> "no certificate in it";
file_error([]) -> "no key in it";
file_error(password_required) -> "it is encrypted, and the option password is not given";
file_error(password_wrong) -> "the password is wrong";
file_error(Reason) when is_atom(Reason) ->
    case file:format_error(Reason) of
        "unknown POSIX error" ++ _ -> "decoding error";
        Text -> Text
    end;
file_error(_) -> "decoding error".

source({_Option, Path}) -> printable(Path);
source(Option) -> io_lib:format("of the option ~0tp", [Option]).

printable(Name) when is_binary(Name) -> Name;
printable(Name) ->
    case io_lib:printable_unicode_list(Name) of
        true -> Name;
        false -> io_lib:format("~0tp", [Name])
    end.

%% A line for logger. It carries no domain: logger's default handler drops those of OTP's
%% applications, and ssl has a handler of its own for that reason.
-spec log(logger:level(), binary()) -> ok.
log(Level, Text) ->
    logger:log(Level, #{label => {ssl_port, Level}, text => Text},
               #{report_cb => fun ?MODULE:report/1}).

-spec report(logger:report()) -> {io:format(), [term()]}.
report(#{text := Text}) ->
    {"~ts", [Text]};
report(Report) ->
    {"~0tp", [Report]}.
