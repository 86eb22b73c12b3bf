%% The clear refusals by which ssl_port says that it does not serve something yet.
-module(interop_refusals).

-export([accepted/1]).

%% The socket; or throws `{refused, What}' or `{failed, Reason}'.
-spec accepted({ok, Socket} | {error, term()}) -> Socket.
accepted({ok, Socket}) -> Socket;
accepted({error, {options, {not_supported, What}}}) -> throw({refused, What});
accepted({error, {options, {Version, {versions, _}} = What}}) when is_atom(Version) -> throw({refused, What});
accepted({error, {options, {profile, _} = What}}) -> throw({refused, What});
accepted({error, Reason}) -> throw({failed, Reason}).
