%%% @private
%%% What the BEAM and the port program say to each other: every frame in both directions.
%%% The twin of src/port/protocol.ts; docs/protocol.md is the text behind both, and
%%% test/vectors/protocol_samples.eterm is read by the tests of both.
-module(ssl_port_protocol).

%% BEAM to Node.
-export([request/3]).
-export([cancel/2]).
-export([send_prefix/2]).
-export([answer/3]).
-export([release/1]).
-export([tunnel_prefix/2]).
-export([tunnel_ack/2]).
-export([tunnel_end/2]).
-export([tunnel_failed/2]).

%% Node to BEAM.
-export([decode/1]).
-export([atoms/0]).

-export_type([id/0, tag/0, call/0, event/0]).

-type id() :: 0..16#7fffffff.
-type reply_to() :: reference() | {pid(), reference()}.
-type tag() :: reply_to() | {reply_to(), id()} | ping.
-type call() :: atom() | tuple().

-type event() ::
        {reply, tag(), term()}
      | {recv_binary | recv_list, tag(), binary()}
      | {data_binary | data_list, id(), binary()}
      | {message | notice | ticket, id(), term()}
      | {passive | closed | send_failed | gone, id()}
      | {error, id(), term()}
      | {ack | tunnel_ack, id(), non_neg_integer()}
      | {tunnel, id(), binary()}
      | {tunnel_end | tunnel_close, id()}
      | {question, id(), term(), term()}
      | {key_log, id(), pos_integer(), map()}
      | {log, id(), logger:level(), binary()}
      | {trace, reference() | pid(), id(), map()}
      | {hello, pos_integer(), map()}
      | {undecodable_reply, tag()}
      | {undecodable, binary()}.

-define(VERSION, 131).
-define(SMALL_TUPLE, 104).
-define(ATOM, 119).
-define(INTEGER, 98).
-define(BINARY, 109).

%% BEAM to Node.

-spec request(tag(), id(), call()) -> binary().
request(Tag, Id, Call) ->
    term_to_binary({request, Tag, Id, Call}).

-spec cancel(id(), tag()) -> binary().
cancel(Id, Tag) ->
    term_to_binary({cancel, Id, Tag}).

%% All of {send, Id, Data} but the bytes of Data, so that the caller's iodata goes to
%% the port as it is.
-spec send_prefix(id(), non_neg_integer()) -> binary().
send_prefix(Id, Size) ->
    <<?VERSION, ?SMALL_TUPLE, 3, ?ATOM, 4, "send", ?INTEGER, Id:32, ?BINARY, Size:32>>.

-spec answer(id(), term(), term()) -> binary().
answer(Id, QuestionId, Value) ->
    term_to_binary({answer, Id, QuestionId, Value}).

-spec release(id()) -> binary().
release(Id) ->
    term_to_binary({release, Id}).

%% All of {tunnel, Id, Data} but the bytes of Data.
-spec tunnel_prefix(id(), non_neg_integer()) -> binary().
tunnel_prefix(Id, Size) ->
    <<?VERSION, ?SMALL_TUPLE, 3, ?ATOM, 6, "tunnel", ?INTEGER, Id:32, ?BINARY, Size:32>>.

-spec tunnel_ack(id(), non_neg_integer()) -> binary().
tunnel_ack(Id, Bytes) ->
    term_to_binary({tunnel_ack, Id, Bytes}).

-spec tunnel_end(id(), atom()) -> binary().
tunnel_end(Id, Reason) ->
    term_to_binary({tunnel_end, Id, Reason}).

-spec tunnel_failed(id(), atom()) -> binary().
tunnel_failed(Id, Reason) ->
    term_to_binary({tunnel_failed, Id, Reason}).

%% Node to BEAM.

%% Bulk frames are matched byte by byte: the payload stays a sub-binary of the frame.
%% Everything else is a term, decoded without making new atoms.
-spec decode(binary()) -> event().
decode(<<?VERSION, ?SMALL_TUPLE, 3, ?ATOM, 11, "data_binary",
         ?INTEGER, Id:32, ?BINARY, Size:32, Data:Size/binary>>) ->
    {data_binary, Id, Data};
decode(<<?VERSION, ?SMALL_TUPLE, 3, ?ATOM, 6, "tunnel",
         ?INTEGER, Id:32, ?BINARY, Size:32, Data:Size/binary>>) ->
    {tunnel, Id, Data};
decode(<<?VERSION, ?SMALL_TUPLE, 3, ?ATOM, 3, "ack",
         ?INTEGER, Id:32, ?INTEGER, Bytes:32>>) ->
    {ack, Id, Bytes};
decode(<<?VERSION, ?SMALL_TUPLE, 4, ?ATOM, 11, "recv_binary",
         ?INTEGER, TagSize:32, Tag:TagSize/binary, ?BINARY, Size:32, Data:Size/binary>>) ->
    {recv_binary, binary_to_term(<<?VERSION, Tag/binary>>, [safe]), Data};
decode(<<?VERSION, ?SMALL_TUPLE, 4, ?ATOM, 9, "recv_list",
         ?INTEGER, TagSize:32, Tag:TagSize/binary, ?BINARY, Size:32, Data:Size/binary>>) ->
    {recv_list, binary_to_term(<<?VERSION, Tag/binary>>, [safe]), Data};
decode(<<?VERSION, ?SMALL_TUPLE, 3, ?ATOM, 9, "data_list",
         ?INTEGER, Id:32, ?BINARY, Size:32, Data:Size/binary>>) ->
    {data_list, Id, Data};
decode(Frame) ->
    try event(binary_to_term(Frame, [safe])) of
        invalid -> {undecodable, Frame};
        Event -> Event
    catch
        error:badarg -> salvage(Frame)
    end.

event({reply, _Tag, _Result} = Event) -> Event;
%% The same terms as bulk frames in another encoding.
event({data_binary, Id, Data} = Event) when is_integer(Id), is_binary(Data) -> Event;
event({data_list, Id, Data} = Event) when is_integer(Id), is_binary(Data) -> Event;
event({recv_binary, Size, Tag, Data}) when is_integer(Size), is_binary(Data) ->
    {recv_binary, Tag, Data};
event({recv_list, Size, Tag, Data}) when is_integer(Size), is_binary(Data) ->
    {recv_list, Tag, Data};
event({ack, Id, Bytes} = Event) when is_integer(Id), is_integer(Bytes) -> Event;
event({tunnel, Id, Data} = Event) when is_integer(Id), is_binary(Data) -> Event;
event({tunnel_ack, Id, Bytes} = Event) when is_integer(Id), is_integer(Bytes) -> Event;
event({tunnel_end, Id} = Event) when is_integer(Id) -> Event;
event({tunnel_close, Id} = Event) when is_integer(Id) -> Event;
event({message, Id, _Term} = Event) when is_integer(Id) -> Event;
event({notice, Id, _Term} = Event) when is_integer(Id) -> Event;
event({ticket, Id, _Map} = Event) when is_integer(Id) -> Event;
event({passive, Id} = Event) when is_integer(Id) -> Event;
event({closed, Id} = Event) when is_integer(Id) -> Event;
event({send_failed, Id} = Event) when is_integer(Id) -> Event;
event({gone, Id} = Event) when is_integer(Id) -> Event;
event({error, Id, _Reason} = Event) when is_integer(Id) -> Event;
event({question, Id, _QuestionId, _Question} = Event) when is_integer(Id) -> Event;
event({key_log, Id, Fun, #{}} = Event) when is_integer(Id), is_integer(Fun) -> Event;
event({log, Id, Level, Text} = Event)
  when is_integer(Id), is_binary(Text),
       Level =:= emergency orelse Level =:= alert orelse Level =:= critical
       orelse Level =:= error orelse Level =:= warning orelse Level =:= notice
       orelse Level =:= info orelse Level =:= debug ->
    Event;
event({trace, Tracer, Id, Step} = Event)
  when is_reference(Tracer) orelse is_pid(Tracer), is_integer(Id), is_map(Step) -> Event;
event({hello, Version, Info} = Event) when is_integer(Version), is_map(Info) -> Event;
event(_) -> invalid.

%% A reply with an atom that nobody wrote down below must not leave its caller waiting.
salvage(<<?VERSION, ?SMALL_TUPLE, 3, ?ATOM, 5, "reply", Rest/binary>> = Frame) ->
    try binary_to_term(<<?VERSION, Rest/binary>>, [safe, used]) of
        {Tag, _Used} -> {undecodable_reply, Tag}
    catch
        error:badarg -> {undecodable, Frame}
    end;
salvage(Frame) ->
    {undecodable, Frame}.

%% The atoms that the program may send and that need not come from the caller. They
%% exist from the moment this module is loaded, which is what [safe] asks for.
-spec atoms() -> [atom()].
atoms() ->
    frame_atoms() ++ result_atoms() ++ reason_atoms() ++ alert_atoms() ++ posix_atoms()
        ++ certificate_atoms() ++ information_atoms() ++ suite_atoms() ++ group_atoms()
        ++ signature_atoms() ++ metrics_atoms() ++ trace_atoms() ++ option_atoms() ++ hello_atoms() ++ packet_atoms().

frame_atoms() ->
    [hello, reply, recv_binary, recv_list, data_binary, data_list, message, passive, closed,
     callback, '$exit', '$state', lookup, select, fresh_crl, update, delete, select_session, size,
     dns_id, bad_path, sign, encrypt, digest, pss,
     error, ack, send_failed, gone, question, log, apply, notice, ticket, key_log, items,
     tunnel, tunnel_ack, tunnel_end, tunnel_close,
     version, node, openssl,
     emergency, alert, critical, warning, notice, info, debug].

result_atoms() ->
    [ok, true, false, once, undefined, default, infinity, none, all,
     supported, available, implemented,
     sslv3, tlsv1, 'tlsv1.1', 'tlsv1.2', 'tlsv1.3', 'dtlsv1', 'dtlsv1.2',
     recv_oct, recv_cnt, recv_max, recv_avg, recv_dvi,
     send_oct, send_cnt, send_max, send_avg, send_pend,
     read, write, read_write].

reason_atoms() ->
    [closed, timeout, notsup, ealready, enotconn, einval, badarg, internal_error,
     notsup_on_transport_accept_socket, ssl_not_started, not_owner, nooptions, enooptions,
     eoptions, no_peercert, protocol_not_negotiated, next_protocol_not_negotiated,
     renegotiation_rejected, options, option, socket_options, not_a_proplist, dependency,
     incompatible, missing_version, role, server_only, client_only, conflict_options,
     option_not_a_key_value_tuple, invalid_protocol, not_supported_in_sslv3, cb_info,
     gen_tcp, tcp, tcp_closed, tcp_error, tcp_passive, tls_alert, invalid_packet,
     packet_to_large, illegal_parameter, http_error, decoding_error, unsupported_record_type,
     cert_and_key_required, bad_cert, hostname_check_failed, certificate_not_found,
     key_mismatch, no_suitable_ciphers, insufficient_crypto_support, psk_not_found,
     missing_ocsp_staple, ssl_port,
     no_supported_signature_schemes, not_supported, key_does_not_match_certificate,
     password_required, password_wrong, no_key, malformed, unsupported,
     unsupported_algorithm, invalid_precedence, type, not_binary, case_clause,
     function_clause, bad_input, exporter_master_secret_already_consumed,
     undefined_tls_material].

alert_atoms() ->
    [close_notify, unexpected_message, bad_record_mac, decryption_failed, record_overflow,
     decompression_failure, handshake_failure, no_certificate, bad_certificate,
     unsupported_certificate, certificate_revoked, certificate_expired, certificate_unknown,
     illegal_parameter, unknown_ca, access_denied, decode_error, decrypt_error,
     export_restriction, protocol_version, insufficient_security, internal_error,
     inappropriate_fallback, user_canceled, no_renegotiation, missing_extension,
     unsupported_extension, certificate_unobtainable, unrecognized_name,
     bad_certificate_status_response, bad_certificate_hash_value, unknown_psk_identity,
     certificate_required, no_application_protocol,
     decryption_failed_reserved, no_certificate_reserved].

posix_atoms() ->
    [eacces, eaddrinuse, eaddrnotavail, eafnosupport, eagain, ealready, ebadf, ebadmsg,
     ebusy, econnaborted, econnrefused, econnreset, edestaddrreq, eexist, efault, efbig,
     ehostdown, ehostunreach, einprogress, eintr, einval, eio, eisconn, eisdir, eloop,
     emfile, emlink, emsgsize, enametoolong, enetdown, enetreset, enetunreach, enfile,
     enobufs, enodev, enoent, enolink, enomem, enoprotoopt, enospc, enotconn, enotdir,
     enotempty, enotsock, enotsup, enxio, eopnotsupp, eperm, epipe, eproto,
     eprotonosupport, eprototype, erange, erofs, eshutdown, esrch, etimedout, exdev,
     nxdomain, try_again, no_recovery, no_data, eai_again].

certificate_atoms() ->
    [cert_expired, invalid_issuer, invalid_signature, unknown_ca, selfsigned_peer,
     name_not_permitted, missing_basic_constraint, invalid_key_usage,
     invalid_ext_keyusage, ca_invalid_ext_keyusage, revoked, max_path_length_reached,
     duplicate_cert_in_path, unknown_critical_extension, invalid_validity_dates,
     key_usage_mismatch, unsupported_signature, peer, valid, valid_peer, extension,
     root_cert_not_found, no_relevant_crls, revocation_status_undetermined, bad_crl, bad_crls,
     unspecified, keyCompromise, cACompromise, affiliationChanged, superseded,
     cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise,
     invalid_policy_mapping, policy_requirement_not_met, crls, distribution_points, issuer,
     'RSAPrivateKey', 'DSAPrivateKey', 'ECPrivateKey', 'PrivateKeyInfo',
     'OTPCertificate', 'Extension',
     rejected_by_callback, invalid_ext_key_usage, malformed_certificate,
     too_many_certificates, unsupported_public_key, unsupported_signature_algorithm,
     weak_public_key, weak_signature_algorithm, refused_signature_algorithm,
     work_limit_reached, not_stapled,
     nonce_mismatch, no_matched_response, ocsp_stale_response,
     ocsp_responder_cert_not_found, ocsp_response_bad_signature].

information_atoms() ->
    [protocol, session_id, session_data, session_resumption, selected_cipher_suite,
     sni_hostname, srp_username, ecc, named_curve, max_fragment_length, client_random,
     server_random, master_secret, keylog, selected_group, cipher_suite,
     psk, sni, ticket, timestamp, session_ticket, early_data, accepted, rejected,
     client, server, tls, inet, inet6, local,
     client_handshake_traffic_secret, server_handshake_traffic_secret,
     client_traffic_secret_0, server_traffic_secret_0, ocsp_response].

suite_atoms() ->
    [key_exchange, cipher, mac, prf, any, aead, null, default_prf,
     rsa, dhe_dss, dhe_rsa, dh_anon, psk, dhe_psk, ecdhe_psk, rsa_psk, srp_anon, srp_dss,
     srp_rsa, ecdh_anon, ecdh_ecdsa, ecdhe_ecdsa, ecdh_rsa, ecdhe_rsa,
     rc4_128, des_cbc, '3des_ede_cbc', aes_128_cbc, aes_256_cbc, aes_128_gcm, aes_256_gcm,
     aes_128_ccm, aes_256_ccm, aes_128_ccm_8, aes_256_ccm_8, chacha20_poly1305,
     md5, sha, sha224, sha256, sha384, sha512].

group_atoms() ->
    [x25519, x448, secp256r1, secp384r1, secp521r1, ffdhe2048, ffdhe3072, ffdhe4096,
     ffdhe6144, ffdhe8192, x25519mlkem768, secp256r1mlkem768, secp384r1mlkem1024,
     sect571r1, sect571k1, brainpoolP512r1, sect409k1, sect409r1, brainpoolP384r1,
     sect283k1, sect283r1, brainpoolP256r1, secp256k1, sect239k1, sect233k1, sect233r1,
     secp224k1, secp224r1, sect193r1, sect193r2, secp192k1, secp192r1, sect163k1,
     sect163r1, sect163r2, secp160k1, secp160r1, secp160r2,
     brainpoolP256r1tls13, brainpoolP384r1tls13, brainpoolP512r1tls13].

signature_atoms() ->
    [dsa, ecdsa, anonymous, ed25519, ed448, eddsa_ed25519, eddsa_ed448,
     ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_secp521r1_sha512,
     rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pss_rsae_sha512,
     rsa_pss_pss_sha256, rsa_pss_pss_sha384, rsa_pss_pss_sha512,
     rsa_pkcs1_sha1, rsa_pkcs1_sha224, rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512,
     ecdsa_sha1, mldsa44, mldsa65, mldsa87,
     rsa_pkcs1_md5, dsa_sha1, dsa_sha224, dsa_sha256, dsa_sha384, dsa_sha512,
     ecdsa_sha224, eddsa, rsa_pss, rsa_pss_rsae, rsa_pss_pss, sha1,
     ecdsa_brainpoolP256r1tls13_sha256, ecdsa_brainpoolP384r1tls13_sha384,
     ecdsa_brainpoolP512r1tls13_sha512].

metrics_atoms() ->
    [handshakes_client, handshakes_server, handshakes_failed, resumptions, renegotiations,
     alerts_sent, alerts_received, bytes_sent, bytes_received, connections, listeners, calls,
     output_queue, memory, memory_heap, memory_external, unknown].

trace_atoms() ->
    [untold, answered, application_layer_protocol_negotiation, at, bits, bytes, candidate, certificate,
     certificate_request, certificate_status, certificate_types, certificate_url,
     certificate_verify, certificates, chain_not_accepted, change_cipher_spec, chosen,
     cipher_suites, client_certificate_type, client_certificate_url, client_hello,
     client_key_exchange, code, compress_certificate, compressed_certificate, connected, decision,
     direction, dns_names, dropped, dss_fixed_dh, dss_sign, ecdsa_fixed_ecdh, ecdsa_sign,
     empty_renegotiation_info_scsv, encrypted_extensions, end_of_early_data, established,
     exchange_keys, explanation, extended_master_secret, extensions, fallback_scsv, fatal, fields,
     finished, grease, group, heartbeat, hello_request, hello_retry_request, hostname, id,
     key_not_usable, key_too_short, key_update, keys, kind, legacy_session_id,
     legacy_session_id_echo, legacy_version, less_preferred, level, md5_sha, message_hash, more,
     name, new_keys, new_session_ticket, next_protocol, no_answer, no_key_share, no_offer,
     no_shared_group, no_shared_scheme, no_suitable_certificate, no_user_name, no_version,
     not_after, not_asked_for, not_before, not_decided, not_enabled, not_needed, not_of_version,
     not_offered, not_taken, ocsp, offered, oid_filters, older, order, other, other_curve,
     other_issuer, other_key, own, padding, passed_over, prime, psk_identity_hint, psk_lookup,
     public_value, random, reason, received, renegotiated, request_update, response,
     restricted_key, resumed, resumption, rsa_fixed_dh, rsa_fixed_ecdh, rsa_pkcs1, rsa_sign, salt,
     selected, selected_protocol, sent, serial, server_certificate_type, server_hello,
     server_hello_done, server_key_exchange, server_name, signature, signature_algorithms,
     signature_algorithms_cert, signature_scheme, signed_certificate_timestamp, srp_lookup, state,
     status_request_v2, subject, supported_versions, system_limit, ticket_lifetime,
     ticket_lifetime_hint, time, trace, truncated, truncated_hmac, trusted_ca_keys, uncompressed,
     undecodable, update_not_requested, update_requested, use_srtp, verify_data, zstd].

option_atoms() ->
    [alpn_advertised_protocols, alpn_preferred_protocols, anti_replay, beast_mitigation,
     cacertfile, cacerts, cert, certfile, certificate_authorities, certs_keys, ciphers,
     client_preferred_next_protocols, client_renegotiation, cookie, crl_cache, crl_check,
     customize_hostname_check, depth, dh, dhfile, eccs, erl_dist, fail_if_no_peer_cert,
     fallback, handshake, hibernate_after, honor_cipher_order, honor_ecc_order, keep_secrets,
     key, key_update_at, keyfile, log_alert, log_level, max_handshake_size,
     middlebox_comp_mode, next_protocols_advertised, ocsp_nonce, ocsp_responder_certs,
     ocsp_stapling, padding_check, partial_chain, password, profile, psk_identity,
     receiver_spawn_opts, renegotiate_at, reuse_session, reuse_sessions, secure_renegotiate,
     sender_spawn_opts, server_name_indication, session_tickets, signature_algs,
     signature_algs_cert, sni_fun, sni_hosts, srp_identity, ssl_imp, stapling,
     supported_groups, use_ticket, user_lookup_fun, verify, verify_client_once, verify_fun,
     verify_none, verify_peer, versions, full, disable, one_n_minus_one, zero_n, disabled,
     otp25, otp26, r16, der, openssl,
     ktls, dtls, auto, best_effort, enabled, manual, save, stateful, stateful_with_cert,
     stateless, stateless_with_cert, algorithm, sign_fun, sign_opts, encrypt_fun,
     encrypt_opts, srp, psks, psk_modes, psk_dhe_ke, psk_ke, min_dh_bits, encrypt_then_mac,
     record_size_limit, certificate_compression, zlib, brotli, post_handshake_auth,
     stateless_tickets_seed, tls12_session_tickets, status_request, ec, cert_policy_opts,
     allow_any_ca_purpose, keylog_hs].

hello_atoms() ->
    [alpn, elliptic_curves, ec_point_formats, next_protocol_negotiation, renegotiation_info,
     max_frag_enum, client_hello_versions, key_share, pre_shared_key, psk_key_exchange_modes,
     server_hello_selected_version, key_share_entry, offered_psks, ssl_crl_cache, internal].

packet_atoms() ->
    [active, mode, packet, packet_size, header, binary, list, raw, asn1, cdr, sunrm, fcgi,
     tpkt, line, http, httph, http_bin, httph_bin,
     nodelay, keepalive, backlog, ip, ifaddr, port, fd, reuseaddr, reuseport, exit_on_close,
     send_timeout, send_timeout_close, linger, sndbuf, recbuf, buffer, tos, priority,
     ipv6_v6only, high_watermark, low_watermark, delay_send, show_econnreset,
     http_request, http_response, http_header, http_eoh, absoluteURI, scheme, abs_path,
     https, '*', 'OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE',
     'Cache-Control', 'Connection', 'Date', 'Pragma', 'Transfer-Encoding', 'Upgrade', 'Via',
     'Accept', 'Accept-Charset', 'Accept-Encoding', 'Accept-Language', 'Authorization',
     'From', 'Host', 'If-Modified-Since', 'If-Match', 'If-None-Match', 'If-Range',
     'If-Unmodified-Since', 'Max-Forwards', 'Proxy-Authorization', 'Range', 'Referer',
     'User-Agent', 'Age', 'Location', 'Proxy-Authenticate', 'Public', 'Retry-After',
     'Server', 'Vary', 'Warning', 'Www-Authenticate', 'Allow', 'Content-Base',
     'Content-Encoding', 'Content-Language', 'Content-Length', 'Content-Location',
     'Content-Md5', 'Content-Range', 'Content-Type', 'Etag', 'Expires', 'Last-Modified',
     'Accept-Ranges', 'Set-Cookie', 'Set-Cookie2', 'X-Forwarded-For', 'Cookie',
     'Keep-Alive', 'Proxy-Connection',
     bind_to_device, dontroute, inet_backend, netns, read_packets, recvtclass, recvtos,
     recvttl, tclass, ttl, tcp_module, loopback, broadcast, low_msgq_watermark,
     high_msgq_watermark].
