import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Options,
  type Profile,
  parseOptions,
  type Role,
} from '../../../../src/ssl/options/index.ts';
import { reader, show, term } from '../../../support/erlang_terms.ts';

function parse(options: string, role: Role = 'client', profile: Profile = 'otp25', base?: Options) {
  return parseOptions(term(options), reader, { role, profile, base });
}

function good(options: string, role: Role = 'client', profile: Profile = 'otp25'): Options {
  const result = parse(options, role, profile);
  if ('error' in result) throw new Error(show(result.error));
  return result.ok;
}

function bad(options: string, role: Role = 'client', profile: Profile = 'otp25'): string {
  const result = parse(options, role, profile);
  return 'error' in result ? show(result.error) : 'ok';
}

describe('option lists', () => {
  it('have the defaults of the profile', () => {
    const { versions, verify, socket, transport, failIfNoPeerCert } = good('[]');
    assert.deepEqual(versions, ['tlsv1.3', 'tlsv1.2']);
    assert.equal(verify, 'verify_none');
    assert.equal(failIfNoPeerCert, false);
    assert.deepEqual(socket, { mode: 'list', packet: 0, header: 0, active: true, packetSize: 0 });
    assert.equal(transport.exitOnClose, true);
    assert.equal(transport.sendTimeout, 'infinity');
  });

  it('N-O01: verify by default from OTP 26, and then need roots', () => {
    assert.equal(
      bad('[]', 'client', 'otp26'),
      '{options,incompatible,[{verify,verify_peer},{cacerts,undefined}]}',
    );
    assert.equal(good('[{verify,verify_none}]', 'client', 'otp26').verify, 'verify_none');
    assert.equal(good('[{cacertfile,"x"}]', 'client', 'otp26').verify, 'verify_peer');
    const server = good('[{verify,verify_peer},{cacertfile,"x"}]', 'server', 'otp26');
    assert.equal(server.failIfNoPeerCert, true);
    assert.equal(good('[{active,true}]', 'server', 'otp26').verify, 'verify_none');
  });

  it('N-O01, R36: words of OTP 26 for options that do not go together', () => {
    assert.equal(
      bad("[{verify,verify_none},{key_update_at,9},{versions,['tlsv1.2']}]", 'client', 'otp26'),
      "{options,incompatible,[key_update_at,{versions,['tlsv1.2']}]}",
    );
  });

  it('R13: the last of a name counts, and the atoms stand for tuples', () => {
    const { socket, values } = good(
      '[{depth,1},list,{active,true},{depth,2},{active,false},binary]',
    );
    assert.equal(values.depth, 2);
    assert.equal(socket.active, false);
    assert.equal(socket.mode, 'binary');
  });

  it('from OTP 26 on more options are of one role (N-O02)', () => {
    const own = '[{verify,verify_none},{alpn_preferred_protocols,[<<"h2">>]}]';
    assert.equal(bad(own, 'client', 'otp26'), '{option,server_only,alpn_preferred_protocols}');
    assert.ok(good(own, 'client', 'otp25'));
    const other = '[{server_name_indication,"a"}]';
    assert.equal(bad(other, 'server', 'otp26'), '{option,client_only,server_name_indication}');
    assert.ok(good(other, 'server', 'otp25'));
    // The default may be named by either.
    assert.ok(good('[{verify,verify_none},{fail_if_no_peer_cert,false}]', 'client', 'otp26'));
    assert.ok(good('[{sni_fun,undefined},{verify,verify_none}]', 'client', 'otp26'));
  });

  it('R37: a bare atom or another shape is no option', () => {
    assert.equal(bad('[foo]'), '{option_not_a_key_value_tuple,foo}');
    assert.equal(bad('[{a,b,c}]'), '{option_not_a_key_value_tuple,{a,b,c}}');
    assert.equal(bad('foo'), '{options,{not_a_proplist,foo}}');
  });

  it('takes what the application’s environment says where the list says nothing', () => {
    const env = "{'$env',[{profile,otp26},{protocol_version,['tlsv1.2']}]}";
    const { profile, versions } = good(`[${env},{verify,verify_none}]`);
    assert.equal(profile, 'otp26');
    assert.deepEqual(versions, ['tlsv1.2']);
    assert.deepEqual(good(`[{versions,['tlsv1.3']},{profile,otp25},${env}]`).versions, ['tlsv1.3']);
    assert.equal(bad(`[${env}]`, 'server'), 'nooptions');
  });

  it('R36, R38: no versions means the default ones; one that is no list is for the environment alone', () => {
    assert.deepEqual(good('[{versions,[]}]').versions, ['tlsv1.3', 'tlsv1.2']);
    assert.equal(bad("[{versions,'tlsv1.2'}]"), "{options,{versions,'tlsv1.2'}}");
    const environment = "{'$env',[{protocol_version,'tlsv1.2'}]}";
    assert.deepEqual(good(`[${environment},{verify,verify_none}]`).versions, ['tlsv1.2']);
    assert.deepEqual(good("[{versions,['tlsv1.2','tlsv1.3']}]").versions, ['tlsv1.3', 'tlsv1.2']);
  });

  it('R36: SSL 3.0 needs the profile of R16, and to be named', () => {
    for (const profile of ['otp25', 'otp26'] as const) {
      assert.equal(
        bad('[{versions,[tlsv1,sslv3]},{verify,verify_none}]', 'client', profile),
        '{options,{sslv3,{versions,[tlsv1,sslv3]}}}',
      );
    }
    assert.deepEqual(good('[{profile,r16}]').versions, ['tlsv1.2', 'tlsv1.1', 'tlsv1']);
    assert.deepEqual(good('[{versions,[sslv3]},{profile,r16}]').versions, ['sslv3']);
    assert.deepEqual(good("[{versions,['tlsv1.1','tlsv1.2']}]").versions, ['tlsv1.2', 'tlsv1.1']);
  });

  it('R13: in the profile of R16 the first of a name counts', () => {
    const { values, socket, transport } = good(
      '[{depth,3},{depth,4},{active,once},{active,true},{profile,r16},{nodelay,true},{nodelay,false}]',
    );
    assert.equal(values.depth, 3);
    assert.equal(socket.active, 'once');
    assert.equal(transport.nodelay, true);
  });

  it('S-O16: R16 takes the numbers of OpenSSL for verify', () => {
    const roots = '{cacertfile,"ca.pem"},{profile,r16}';
    assert.equal(good('[{verify,0},{profile,r16}]').verify, 'verify_none');
    const one = good(`[{verify,1},${roots}]`, 'server');
    assert.deepEqual([one.verify, one.failIfNoPeerCert], ['verify_peer', false]);
    assert.equal(good(`[{verify,2},${roots}]`, 'server').failIfNoPeerCert, true);
    assert.equal(bad(`[{verify,3},${roots}]`, 'server'), '{options,{verify,3}}');
    assert.equal(bad('[{verify,1}]'), '{options,{verify,1}}');
  });

  it('never takes silently what it does not do', () => {
    const refused: Readonly<Record<string, Role>> = {
      '{protocol,dtls}': 'client',
      '{cb_info,{my_tcp,tcp,tcp_closed,tcp_error}}': 'client',
      '{erl_dist,true}': 'client',
      '{key,#{algorithm=>rsa,engine=>1,key_id=>2}}': 'client',
      '{alpn_x,1}': 'client',
    };
    for (const [option, role] of Object.entries(refused)) {
      const answer = bad(`[${option}]`, role);
      const expected = option.startsWith('{alpn_x')
        ? /^\{options,\{socket_options,/
        : /^\{options,\{not_supported,/;
      assert.match(answer, expected, option);
    }
  });

  it('takes the seeds’ and today’s harmless options', () => {
    good('[{ssl_imp,new},{hibernate_after,6000},{receiver_spawn_opts,[]},{log_alert,false}]');
    good('[{cb_info,{gen_tcp,tcp,tcp_closed,tcp_error}},{reuse_sessions,true}]');
    good('[{crl_check,best_effort},{allow_any_ca_purpose,true}]');
    good('[{cert_policy_opts,[{policy_set,[{2,5,29,32,0}]},{explicit_policy,true}]}]');
    good('[{secure_renegotiate,true},{crl_check,false},{customize_hostname_check,[]}]');
    good('[{dhfile,"dh.pem"},{client_renegotiation,false}]', 'server');
  });

  it('reads keys in every shape', () => {
    for (const key of [
      '<<1>>',
      "{'RSAPrivateKey',<<1>>}",
      "{'PrivateKeyInfo',<<1>>}",
      '{rsa,<<1>>}',
    ]) {
      assert.ok('ok' in parse(`[{key,${key}}]`), key);
    }
  });

  it('a handshake’s options build upon the listener’s', () => {
    const base = good('[{depth,4},{certfile,"a"},{active,false},{nodelay,true}]', 'server');
    const result = parse('[{depth,5},{active,once}]', 'server', 'otp25', base);
    if ('error' in result) throw new Error(show(result.error));
    const { values, socket, transport } = result.ok;
    assert.equal(values.depth, 5);
    assert.equal(values.certfile, 'a');
    assert.equal(socket.active, 'once');
    assert.equal(transport.nodelay, true);
    assert.ok('ok' in parse('[]', 'server', 'otp25', base));
  });
});

describe('transport options', () => {
  it('are read into settings', () => {
    const { transport } = good(
      '[{ip,{127,0,0,1}},{port,99},{nodelay,true},{send_timeout,30000},{send_timeout_close,true}]',
    );
    assert.deepEqual(transport.localAddress, [127, 0, 0, 1]);
    assert.equal(transport.localPort, 99);
    assert.equal(transport.sendTimeout, 30000);
    assert.equal(transport.sendTimeoutClose, true);
  });

  it('know the families', () => {
    assert.equal(good('[{inet6,true}]').transport.family, 6);
    assert.equal(good('[{inet,true}]').transport.family, 4);
    assert.equal(good('[{ip,{0,0,0,0,0,0,0,1}}]').transport.family, 6);
    assert.deepEqual(
      good('[{inet6,true},{ip,loopback}]').transport.localAddress,
      [0, 0, 0, 0, 0, 0, 0, 1],
    );
    assert.equal(good('[{ip,any}]').transport.localAddress, undefined);
    assert.match(bad('[{inet6,true},{ip,{127,0,0,1}}]'), /^\{options,\{socket_options,\[/);
  });

  it('name the one that a socket of Node.js cannot have', () => {
    for (const option of ['{linger,{true,5}}', '{sndbuf,1024}', '{raw,6,1,<<1>>}', '{fd,3}']) {
      assert.equal(bad(`[${option}]`), `{options,{socket_options,${option}}}`);
    }
  });
});

describe('cipher suites', () => {
  it('are all those that can be used, strongest first, when none is named', () => {
    const names = good('[]').cipherSuites.map((suite) => suite.opensslName);
    assert.deepEqual(names.slice(0, 7), [
      'TLS_AES_256_GCM_SHA384',
      'TLS_AES_128_GCM_SHA256',
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_AES_128_CCM_SHA256',
      'TLS_AES_128_CCM_8_SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
    ]);
    const old = good("[{versions,['tlsv1.2']}]").cipherSuites;
    assert.ok(old.length > 0 && old.every((suite) => suite.maxVersion === 'tlsv1.2'));
  });

  it('are found by every kind of name', () => {
    const expected = ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'];
    for (const ciphers of [
      '["ECDHE-RSA-AES128-GCM-SHA256"]',
      '"ECDHE-RSA-AES128-GCM-SHA256"',
      '["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]',
      '[{ecdhe_rsa,aes_128_gcm,aead,sha256}]',
      '[{ecdhe_rsa,aes_128_gcm,aead}]',
      '[#{key_exchange=>ecdhe_rsa,cipher=>aes_128_gcm,mac=>aead,prf=>sha256}]',
      '"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"',
    ]) {
      const names = good(`[{ciphers,${ciphers}}]`).cipherSuites.map((suite) => suite.name);
      assert.deepEqual(names, expected, ciphers);
    }
  });

  it('say which and why when they cannot be used', () => {
    const named = good('[{ciphers,"RC4-MD5"}]').cipherSuites.map(({ name }) => name);
    assert.deepEqual(named, ['TLS_RSA_WITH_RC4_128_MD5']);
    const tls12 = show({ text: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' });
    assert.equal(
      bad('[{ciphers,"ECDHE-RSA-AES128-GCM-SHA256"},{versions,[\'tlsv1.3\']}]'),
      `{options,dependency,{ciphers,${tls12},{versions,['tlsv1.2']}}}`,
    );
    const weak = show({ text: 'TLS_RSA_WITH_RC4_128_MD5' });
    assert.equal(
      bad("[{ciphers,[{rsa,rc4_128,md5}]},{versions,['tlsv1.3']}]"),
      `{options,dependency,{ciphers,${weak},{versions,['tlsv1.2']}}}`,
    );
    // One that fits among others that do not is no excuse.
    assert.match(
      bad('[{ciphers,"TLS_AES_128_GCM_SHA256:RC4-MD5"},{versions,[\'tlsv1.3\']}]'),
      /^\{options,dependency,\{ciphers/,
    );
  });

  it('take the lists of cipher_suites/2 for other versions, without what does not fit', () => {
    const all = good('[]').cipherSuites.map(({ name }) => `"${name}"`);
    const { cipherSuites: tls13 } = good(`[{ciphers,[${all}]},{versions,['tlsv1.3']}]`);
    assert.deepEqual(tls13, good("[{versions,['tlsv1.3']}]").cipherSuites);
    const { cipherSuites: tls12 } = good(`[{ciphers,[${all}]},{versions,['tlsv1.2']}]`);
    assert.deepEqual(tls12, good("[{versions,['tlsv1.2']}]").cipherSuites);
  });

  it('are weak only where they are named, or in the profile of R16', () => {
    const weak = /RC4|DES|NULL|anon|MD5|PSK|SRP/;
    const versions = "{versions,[tlsv1,'tlsv1.1','tlsv1.2','tlsv1.3']}";
    for (const profile of ['otp25', 'otp26'] as const) {
      const { cipherSuites } = good(`[${versions},{verify,verify_none}]`, 'client', profile);
      assert.deepEqual(
        cipherSuites.filter(({ name }) => weak.test(name)),
        [],
      );
      assert.ok(cipherSuites.some((suite) => suite.minVersion !== suite.maxVersion));
    }
    const old = good('[{profile,r16}]').cipherSuites.map(({ name }) => name);
    assert.ok(old.includes('TLS_RSA_WITH_RC4_128_MD5'));
    assert.ok(old.every((name) => !/anon|PSK|SRP|NULL|GCM|CCM|CHACHA/.test(name)));
  });
});

describe('verifying without roots', () => {
  it('is for a fun of the user alone, and not from OTP 26 on (R39)', () => {
    const own = "[{verify,verify_peer},{verify_fun,{{'$fun',1,3,<<1,2>>},'$state'}}]";
    assert.equal(good(own).verify, 'verify_peer');
    assert.ok('error' in parse(own, 'client', 'otp26'));
    assert.ok('error' in parse('[{verify,verify_peer}]'));
  });
});

describe('the versions of the environment', () => {
  it('hold for what goes over the list that had it, unless that names versions', () => {
    const environment = "{'$env',[{protocol_version,['tlsv1.1']}]}";
    const base = good(`[{certfile,"a"},${environment}]`, 'server');
    assert.deepEqual(base.versions, ['tlsv1.1']);
    const over = (options: string) => {
      const result = parse(options, 'server', 'otp25', base);
      return 'ok' in result ? result.ok.versions : undefined;
    };
    assert.deepEqual(over('[{depth,5}]'), ['tlsv1.1']);
    assert.deepEqual(over("[{versions,['tlsv1.2']}]"), ['tlsv1.2']);
  });
});

describe('algorithms', () => {
  it('are read by their names in OTP and in the registry', () => {
    const list = '[rsa_pss_rsae_sha256,eddsa_ed25519,{sha256,rsa},ecdsa_secp256r1_sha256]';
    assert.deepEqual(good(`[{signature_algs,${list}}]`).signatureSchemes, [
      'rsa_pss_rsae_sha256',
      'ed25519',
      'rsa_pkcs1_sha256',
      'ecdsa_secp256r1_sha256',
    ]);
    assert.deepEqual(good('[{supported_groups,[secp384r1,x25519]}]').groups, [
      'secp384r1',
      'x25519',
    ]);
    assert.deepEqual(good("[{eccs,[secp521r1]},{versions,['tlsv1.2']}]").groups, ['secp521r1']);
  });

  it('SHA-1 and SHA-224 are gone from OTP 26 on', () => {
    const old = good('[]').signatureSchemes;
    const young = good('[{verify,verify_none}]', 'client', 'otp26').signatureSchemes;
    assert.ok(old.includes('rsa_pkcs1_sha1'));
    assert.ok(!young.some((scheme) => /sha1$|sha224$/.test(scheme)));
  });

  it('a group that is off by default can be named', () => {
    const { groups } = good('[{supported_groups,[x25519,sect571r1]}]');
    assert.deepEqual(groups, ['x25519', 'sect571r1']);
  });
});
