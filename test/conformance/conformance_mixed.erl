%%% Stands for `ssl' where OTP's suites are to run with `ssl_port' at one end and OTP's `ssl' at the other
%%% (conformance_transform puts it in). The environment variable CONFORMANCE_MIX names the end that
%%% `ssl_port' has, `client' or `server'. A call with a socket goes to the one who made it; a question
%%% without one, of suites and versions, goes to `ssl'; what starts, stops or empties goes to both.
-module(conformance_mixed).

-export(['$handle_undefined_function'/2]).
-export([application/2]).

%% Called by error_handler for every function of `ssl'.
-spec '$handle_undefined_function'(atom(), [term()]) -> term().
'$handle_undefined_function'(Function, Args) ->
    case where(Function, Args) of
        both ->
            _ = apply(ssl_port, Function, Args),
            apply(ssl, Function, Args);
        Module ->
            apply(Module, Function, Args)
    end.

%% A call of the module application about the application `ssl'.
-spec application(atom(), [term()]) -> term().
application(Function, [_ | Args]) ->
    _ = apply(application, Function, [ssl_port | Args]),
    apply(application, Function, [ssl | Args]).

where(Function, _) when Function =:= start; Function =:= stop; Function =:= clear_pem_cache ->
    both;
where(_, [Socket | _]) when element(1, Socket) =:= sslsocket ->
    maker(Socket);
where(connect, _) ->
    at(client);
where(Function, _) when Function =:= listen; Function =:= handshake; Function =:= ssl_accept ->
    at(server);
where(_, _) ->
    ssl.

at(Role) ->
    case os:getenv("CONFORMANCE_MIX") =:= atom_to_list(Role) of
        true -> ssl_port;
        false -> ssl
    end.

maker({sslsocket, {_, _, ssl_port, _}, _}) -> ssl_port;
maker({sslsocket, nil, {_, {ssl_port, _, _, _}}}) -> ssl_port;
maker(_) -> ssl.
