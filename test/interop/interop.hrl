%% A row of the program's own table of suites.
-record(suite, {code :: 0..16#ffff,
                name :: string(),           % in the registry
                openssl :: string(),
                kx :: atom(),
                cipher :: atom(),
                mac :: atom(),
                first :: atom(),            % the versions that can use it
                last :: atom()}).

%% One cell of the matrix: ssl_port has the other role.
-record(cell, {peer :: atom(),
               role :: client | server,     % of the peer
               version :: atom(),
               suite :: #suite{},
               kind :: atom()}).            % of the server's certificate; `none' where the suite has none

-define(TIMEOUT, 15000).
