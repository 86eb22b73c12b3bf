%%% @private
%%% Private keys that the program never sees: funs of the user's that sign, as the option `key'
%%% has them since OTP 27. They are called as public_key calls them.
-module(ssl_port_keys).

-export([is_key/1]).
-export([operations/1]).
-export([sign/4]).
-export([encrypt/2]).

-export_type([key/0]).

-type key() :: #{algorithm := atom(),
                 sign_fun => fun((message(), Hash :: atom(), Options :: list()) -> Signature :: binary()),
                 sign_opts => list(),
                 encrypt_fun => fun((binary(), Options :: list()) -> binary()),
                 encrypt_opts => list()}.

-type message() :: binary() | {digest, binary()}.

%% Whether a value of the option is such a key, with funs that can be called.
-spec is_key(term()) -> boolean().
is_key(#{algorithm := Algorithm} = Key) when is_atom(Algorithm) ->
    (maps:is_key(sign_fun, Key) orelse maps:is_key(encrypt_fun, Key))
        andalso is_fun_of(sign_fun, 3, Key) andalso is_fun_of(encrypt_fun, 2, Key)
        andalso is_list(maps:get(sign_opts, Key, [])) andalso is_list(maps:get(encrypt_opts, Key, []))
        andalso map_size(maps:without([algorithm, sign_fun, sign_opts, encrypt_fun, encrypt_opts], Key)) =:= 0;
is_key(_) ->
    false.

is_fun_of(Name, Arity, Key) ->
    case Key of
        #{Name := Fun} -> is_function(Fun, Arity);
        #{} -> true
    end.

-spec operations(key()) -> [sign | encrypt].
operations(Key) ->
    [Operation || {Name, Operation} <- [{sign_fun, sign}, {encrypt_fun, encrypt}], maps:is_key(Name, Key)].

%% `digest': the data is hashed already (before TLS 1.2).
-spec sign(key(), Hash :: atom(), message | digest | pss, binary()) -> term().
sign(#{sign_fun := Fun} = Key, Hash, Form, Data) ->
    Message = case Form of digest -> {digest, Data}; _ -> Data end,
    Fun(Message, Hash, padding(Form, Hash) ++ maps:get(sign_opts, Key, [])).

padding(pss, Hash) ->
    [{rsa_padding, rsa_pkcs1_pss_padding}, {rsa_pss_saltlen, -1}, {rsa_mgf1_md, Hash}];
padding(_Form, _Hash) ->
    [].

%% RSA before TLS 1.2 signs by encrypting both digests.
-spec encrypt(key(), binary()) -> term().
encrypt(#{encrypt_fun := Fun} = Key, Data) ->
    Fun(Data, [{rsa_padding, rsa_pkcs1_padding} | maps:get(encrypt_opts, Key, [])]).
