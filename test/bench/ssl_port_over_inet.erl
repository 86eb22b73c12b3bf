%% `ssl_port' over sockets that the BEAM owns, as a module for the benchmark.
-module(ssl_port_over_inet).

-export([start/0, connect/3, listen/2, sockname/1, transport_accept/1, handshake/1]).
-export([send/2, recv/2, setopts/2, close/1]).

start() -> ssl_port:start().
connect(Host, Port, Options) -> ssl_port:connect(Host, Port, [{transport, inet} | Options]).
listen(Port, Options) -> ssl_port:listen(Port, [{transport, inet} | Options]).
sockname(Socket) -> ssl_port:sockname(Socket).
transport_accept(Listener) -> ssl_port:transport_accept(Listener).
handshake(Socket) -> ssl_port:handshake(Socket).
send(Socket, Data) -> ssl_port:send(Socket, Data).
recv(Socket, Length) -> ssl_port:recv(Socket, Length).
setopts(Socket, Options) -> ssl_port:setopts(Socket, Options).
close(Socket) -> ssl_port:close(Socket).
