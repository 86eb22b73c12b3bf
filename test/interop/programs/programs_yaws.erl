%% A web socket for Yaws that sends back what comes.
-module(programs_yaws).

-export([handle_message/1]).

handle_message({text, Text}) -> {reply, {text, Text}};
handle_message({binary, Bytes}) -> {reply, {binary, Bytes}};
handle_message({close, _, _}) -> {close, normal}.
