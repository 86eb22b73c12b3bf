%% format_error/1 says what ssl says (R44), and more where ssl says "Unexpected error".
-module(ssl_port_format_tests).

-include_lib("eunit/include/eunit.hrl").

same_words_as_ssl_test_() ->
    [{lists:flatten(io_lib:format("~0p", [Reason])),
      ?_assertEqual(ssl:format_error(Reason), ssl_port:format_error(Reason))}
     || Reason <- [closed, {error, closed}, {error, {error, closed}}, timeout, foo, {foo, 1},
                   econnrefused, nxdomain, enotconn, einval, "a string", no_peercert,
                   renegotiation_rejected,
                   {tls_alert, {unknown_ca, "TLS client: In state x"}},
                   {options, {cacertfile, "F", {error, enoent}}},
                   {options, {certfile, "F", {error, eacces}}},
                   {options, {keyfile, "F", {error, enoent}}},
                   {options, {dhfile, "F", {error, enoent}}},
                   {options, {keyfile, "F", foo}},
                   {options, {versions, [x]}},
                   {options, {socket_options, {packet, x}}},
                   {options, {socket_options, foo, einval}},
                   {options, {socket_options, [{foo, 3}], einval}},
                   {options, dependency, {a, b}},
                   %% Broken into lines where they are long.
                   {options, missing_version, {'tlsv1.2', {versions, ['tlsv1.3', 'tlsv1.1']}}},
                   {options, {alpn_advertised_protocols, lists:duplicate(9, {invalid_protocol, <<>>})}},
                   {options, {socket_options, lists:duplicate(9, {packet_size, 10})}},
                   {options, {socket_options, lists:duplicate(9, {packet_size, 10}), einval}}]].

%% R16's alerts were strings, and so was their prefix.
string_alert_test() ->
    ?assertEqual("TLS Alert: unknown ca", ssl_port:format_error({tls_alert, "unknown ca"})).

%% ssl crashes on it.
binary_file_name_test() ->
    ?assertEqual("Invalid key file F: no such file or directory",
                 ssl_port:format_error({options, {keyfile, <<"F">>, {error, enoent}}})).

%% What ssl calls a decoding error.
file_contents_test() ->
    [?assertEqual("Invalid " ++ Words, ssl_port:format_error({options, Reason}))
     || {Words, Reason} <-
            [{"key file F: it is encrypted, and the option password is not given",
              {keyfile, "F", {error, password_required}}},
             {"key file F: the password is wrong", {keyfile, "F", {error, password_wrong}}},
             {"key file F: no key in it", {keyfile, "F", []}},
             {"certificate file F: no certificate in it", {certfile, "F", no_certificate}},
             {"CA certificate file F: no certificate in it", {cacertfile, "F", no_certificate}}]].

failing_password_test() ->
    ?assertEqual("The fun of the option password gave no password: badarg",
                 ssl_port:format_error({error, {keyfile, badarg}})).

key_of_another_certificate_test() ->
    ?assertEqual("The key K is not that of the certificate C",
                 ssl_port:format_error({options, {key_does_not_match_certificate,
                                                  {certfile, "C"}, {keyfile, <<"K">>}}})),
    ?assertEqual("The key of the option key is not that of the certificate CN=x",
                 ssl_port:format_error({options, {key_does_not_match_certificate,
                                                  {cert, "CN=x"}, key}})).

start_reasons_name_the_remedy_test() ->
    [?assertNotEqual(nomatch, string:find(ssl_port:format_error(Reason), Words))
     || {Reason, Words} <-
            [{{ssl_port, {node_not_found, "/no/node"}}, "/no/node"},
             {{ssl_port, {node_not_found, "/no/node"}}, "install Node.js 20.19"},
             {{ssl_port, {node_too_old, "v16.1.0", ">= 20.19"}}, "v16.1.0 is too old"},
             {{ssl_port, {program_not_found, "/no/main.js"}}, "make build"},
             {{ssl_port, {bad_env, {workers, 0}}}, "{ssl_port, [{workers, 0}]} is not valid"},
             {ssl_not_started, "not started"}]].

nothing_crashes_it_test() ->
    [?assert(is_list(ssl_port:format_error(Term)))
     || Term <- [[], [a | b], #{}, self(), {tls_alert, x}, {tls_alert, {x, y}},
                 {options, {keyfile, [a], {error, {x, y}}}}, <<1>>, 1.0, {ssl_port, x}]].
