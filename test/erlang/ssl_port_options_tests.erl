%% What happens to options on their way to the port program.
-module(ssl_port_options_tests).

-include_lib("eunit/include/eunit.hrl").

atoms_are_expanded_in_place_test() ->
    %% R13: binary and list are plain {mode, _} options; which of several wins is decided where
    %% the others of the same name are.
    ?assertEqual({ok, [{mode, list}, {mode, binary}, {inet, true}, {inet6, true},
                       {mode, list}], #{}},
                 ssl_port_options:expand([list, binary, inet, inet6, {mode, list}])).

elements_that_are_no_options_test() ->
    %% R37
    [?assertEqual({option_not_a_key_value_tuple, Element},
                  ssl_port_options:expand([{active, false}, Element, {mode, list}]))
     || Element <- [foo, 77, {foo, 1, 2}, <<"b">>, {}]],
    ?assertMatch({ok, [{raw, 6, 1, <<1:32>>}], _},
                 ssl_port_options:expand([{raw, 6, 1, <<1:32>>}])).

%% Lists in the list are part of it, lists in those are none.
lists_in_the_list_test() ->
    ?assertEqual({ok, [{active, false}, {mode, list}, {depth, 3}], #{}},
                 ssl_port_options:expand([[{active, false}, list], [], {depth, 3}])),
    ?assertEqual({option_not_a_key_value_tuple, [list]},
                 ssl_port_options:expand([[[list]], {depth, 3}])),
    ?assertEqual({option_not_a_key_value_tuple, $t}, ssl_port_options:expand(["text"])).

no_list_is_a_function_clause_test() ->
    ?assertError(function_clause, ssl_port_options:expand(foo)),
    ?assertError(function_clause, ssl_port_options:expand(foo, [{profile, otp25}])).

funs_become_names_test() ->
    F1 = fun(_) -> a end,
    F3 = fun erlang:max/2,
    {ok, Options, Funs} =
        ssl_port_options:expand([{verify_fun, {F1, state}}, {depth, 1},
                                 {customize_hostname_check, [{match_fun, F3}]},
                                 {key, #{algorithm => rsa, sign_fun => F1}}]),
    [{verify_fun, {{'$fun', I1, 1, _}, '$state'}}, {depth, 1},
     {customize_hostname_check, {{'$fun', I2, 3, _}, '$state'}},
     {key, #{algorithm := rsa, sign_fun := {'$fun', I3, 1, _}}}] = Options,
    ?assertEqual(#{I1 => {function, F1, state}, I2 => {function, fun ssl_port_verify:hostname/3, [{match_fun, F3}]},
                   I3 => {function, F1, undefined}}, Funs),
    ?assertEqual(3, length(lists:usort([I1, I2, I3]))).

callback_modules_become_names_test() ->
    {ok, Options, Funs} =
        ssl_port_options:expand([{crl_cache, {some_cache, {internal, [{http, 1000}]}}}],
                                [{session_cb, some_sessions}]),
    [{crl_cache, {{'$callback', I1, crl_cache}, '$state'}},
     {'$env', [{session_cb, {'$callback', I2, session_cache}}]}] = Options,
    ?assertEqual(#{I1 => {module, crl_cache, some_cache, {internal, [{http, 1000}]}},
                   I2 => {module, session_cache, some_sessions, undefined}}, Funs).

%% R55: what a session was verified by is known again, and told from everything else.
fun_identity_test() ->
    Identity = fun(Option) ->
                       {ok, [{verify_fun, {{'$fun', _, _, Identity}, '$state'}}], _} =
                           ssl_port_options:expand([{verify_fun, Option}]),
                       Identity
               end,
    Make = fun(X) -> fun(_, _, S) -> {valid, {X, S}} end end,
    ?assertEqual(Identity({Make(1), s}), Identity({Make(1), s})),
    All = [Identity(O) || O <- [{Make(1), s}, {Make(2), s}, {Make(1), t},
                                {fun(_, _, S) -> {valid, S} end, s}, {fun lists:foldl/3, s}]],
    ?assertEqual(5, length(lists:usort(All))).

terms_without_funs_are_left_alone_test() ->
    Options = [{cert, <<1, 2, 3>>}, {password, "secret"}, {odd, [a | b]}, {map, #{x => [1.5]}}],
    ?assertEqual({ok, Options, #{}}, ssl_port_options:expand(Options)).

combined_certificates_are_sent_once_test() ->
    ?assertEqual({ok, [{cacerts, [<<"a">>, <<"b">>]}], #{}},
                 ssl_port_options:expand([{cacerts, [{cert, <<"a">>, {'OTPCertificate', x}},
                                                     <<"b">>]}])).

defaults_stand_last_test() ->
    ?assertEqual({ok, [{active, true}, {'$env', [{profile, r16}]}], #{}},
                 ssl_port_options:expand([{active, true}], [{profile, r16}])).

environment_test_() ->
    {setup,
     fun() ->
             _ = application:load(ssl_port),
             [{Name, application:get_env(ssl_port, Name)} || Name <- [profile, session_lifetime]]
     end,
     fun(Before) ->
             [case Value of
                  {ok, V} -> application:set_env(ssl_port, Name, V);
                  undefined -> application:unset_env(ssl_port, Name)
              end || {Name, Value} <- Before]
     end,
     fun() ->
             application:unset_env(ssl_port, profile),
             Running = case list_to_integer(erlang:system_info(otp_release)) of
                           N when N >= 26 -> otp26;
                           _ -> otp25
                       end,
             ?assertEqual(Running, proplists:get_value(profile, ssl_port_options:environment())),
             application:set_env(ssl_port, profile, r16),
             application:set_env(ssl_port, session_lifetime, 60),
             {ok, Dir} = file:get_cwd(),
             ?assertEqual([{profile, r16}, {session_lifetime, 60},
                           {cwd, unicode:characters_to_binary(Dir)}],
                          ssl_port_options:environment())
     end}.
