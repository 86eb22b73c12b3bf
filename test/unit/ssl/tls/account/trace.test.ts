/** The account of a handshake: every message, choice and alert, in all versions, and nothing secret. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import {
  clientConfig,
  Pair,
  serverConfig,
  suite,
  suites13,
  trusting,
} from '../../../../support/engine_pair.ts';
import {
  LegacyPair,
  legacyClient,
  legacyServer,
  legacyVersions,
} from '../../../../support/engine_pair_legacy.ts';
import { leaf, strangeAuthority } from '../../../../support/engine_pki.ts';
import { bytesIn, follow, outline, type Step } from '../../../../support/engine_trace.ts';

interface Traced {
  readonly pair: Pair;
  readonly client: Step[];
  readonly server: Step[];
}

function traced(client: Partial<EngineConfig> = {}, server: Partial<EngineConfig> = {}): Traced {
  const pair = new Pair(clientConfig(client), serverConfig(server));
  const steps = { client: follow(pair.client.engine), server: follow(pair.server.engine) };
  pair.handshake();
  return { pair, ...steps };
}

const find = (steps: readonly Step[], name: string): Step => {
  const step = steps.find((one) => one.name === name);
  assert.ok(step, `no ${name} in ${outline(steps).join(', ')}`);
  return step;
};

describe('the trace of TLS 1.3', () => {
  it('tells every step in order, on both sides', () => {
    const { client, server } = traced();
    assert.deepEqual(outline(client), [
      'sent client_hello',
      'received server_hello',
      'local decision version',
      'local decision resumption',
      'local decision cipher_suite',
      'local decision group',
      'received keys new_keys',
      'sent change_cipher_spec',
      'sent keys new_keys',
      'received change_cipher_spec',
      'received encrypted_extensions',
      'local decision alpn',
      'received certificate',
      'received certificate_verify',
      'received finished',
      'received keys new_keys',
      'sent finished',
      'sent keys new_keys',
      'local established connected',
    ]);
    assert.deepEqual(outline(server).slice(0, 8), [
      'received client_hello',
      'local decision version',
      'local decision resumption',
      'local decision cipher_suite',
      'local decision group',
      'sent server_hello',
      'sent change_cipher_spec',
      'sent keys new_keys',
    ]);
    assert.ok(outline(server).includes('local decision signature_scheme'));
    const times = client.map(({ time }) => time);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
  });

  it('decodes messages by name', () => {
    const { client } = traced({ alpn: [Buffer.from('h2')] }, { alpn: [Buffer.from('h2')] });
    const hello = find(client, 'client_hello').fields;
    assert.deepEqual(hello.cipher_suites?.toString().split(',')[0], 'TLS_AES_256_GCM_SHA384');
    const extensions = Object.fromEntries(hello.extensions as [string, unknown][]);
    assert.deepEqual(extensions.supported_versions, ['tlsv1.3', 'tlsv1.2']);
    assert.deepEqual(extensions.server_name, ['server.example']);
    assert.deepEqual(extensions.key_share, [['x25519', ['bytes', 32]]]);
    const [protocol] = extensions.application_layer_protocol_negotiation as Uint8Array[];
    assert.equal(Buffer.from(protocol ?? []).toString(), 'h2');
    const [name, value] = Object.entries(find(client, 'certificate').fields)[1] ?? [];
    assert.equal(name, 'certificate');
    const certificate = Object.fromEntries(value as [string, unknown][]);
    assert.deepEqual(certificate.dns_names, ['server.example']);
    assert.deepEqual(certificate.key, ['ec', 'secp256r1']);
    assert.equal(find(client, 'certificate_verify').fields.algorithm, 'ecdsa_secp256r1_sha256');
  });

  it('tells a retry of the hello and why the group was taken', () => {
    const { client, server } = traced(
      { groups: ['x25519', 'secp384r1'] },
      { groups: ['secp384r1'] },
    );
    assert.deepEqual(outline(server).slice(0, 6), [
      'received client_hello',
      'sent hello_retry_request',
      'sent change_cipher_spec',
      'received change_cipher_spec',
      'received client_hello',
      'local decision version',
    ]);
    const extensions = Object.fromEntries(
      find(client, 'hello_retry_request').fields.extensions as [string, unknown][],
    );
    assert.equal(extensions.key_share, 'secp384r1');
    const decisions = server.filter(({ kind }) => kind === 'decision');
    const group = find(decisions, 'group').fields;
    assert.equal(group.chosen, 'secp384r1');
    assert.deepEqual(group.passed_over, [['x25519', 'not_enabled']]);
  });

  it('tells a client certificate, and the change of keys after the handshake', () => {
    const { pair, client, server } = traced(
      { credentials: [leaf('rsa').credential] },
      { verify: 'peer', trust: clientConfig().trust },
    );
    assert.ok(outline(client).includes('received certificate_request'));
    const scheme = client.find(({ name }) => name === 'signature_scheme')?.fields;
    assert.equal(scheme?.chosen, 'rsa_pss_rsae_sha256');
    assert.equal(find(server, 'certificate_request').direction, 'sent');
    pair.client.engine.updateKeys(true);
    pair.run();
    pair.server.engine.send(Buffer.from('x'));
    pair.run();
    assert.deepEqual(outline(client).slice(-4), [
      'sent key_update',
      'sent keys new_keys',
      'received key_update',
      'received keys new_keys',
    ]);
  });
});

describe('the trace of older versions', () => {
  for (const version of legacyVersions) {
    it(`reads the whole flight of ${version}`, () => {
      const pair = new LegacyPair(legacyClient([version]), legacyServer([version]));
      const client = follow(pair.client.engine);
      const server = follow(pair.server.engine);
      pair.handshake();
      for (const steps of [client, server]) {
        const names = outline(steps);
        for (const name of ['server_hello', 'certificate', 'server_hello_done', 'finished']) {
          assert.ok(
            names.some((one) => one.endsWith(` ${name}`)),
            `${name} in ${names.join(', ')}`,
          );
        }
        assert.equal(find(steps, 'version').fields.chosen, version);
        assert.ok(steps.every(({ fields }) => fields.undecodable === undefined));
        assert.equal(steps.at(-1)?.kind, 'established');
      }
    });
  }
});

describe('the trace of a failure', () => {
  it('says why no suite is shared', () => {
    const { client, server } = traced(
      { cipherSuites: [suites13[0]] },
      { cipherSuites: [suites13[1]] },
    );
    assert.deepEqual(outline(server), [
      'received client_hello',
      'local decision version',
      'local decision cipher_suite',
      'sent alert insufficient_security',
      'local closed alert',
    ]);
    assert.deepEqual(find(server, 'cipher_suite').fields.passed_over, [
      ['TLS_AES_128_GCM_SHA256', 'not_offered'],
      ['TLS_AES_256_GCM_SHA384', 'not_enabled'],
    ]);
    assert.deepEqual(outline(client), [
      'sent client_hello',
      'received alert insufficient_security',
      'local closed alert',
    ]);
  });

  it('says why no version is shared', () => {
    const { server } = traced({ versions: ['tlsv1.2'] }, { versions: ['tlsv1.3'] });
    const { fields } = find(server, 'version');
    assert.equal(fields.chosen, 'none');
    assert.deepEqual(fields.passed_over, [
      ['tlsv1.3', 'not_offered'],
      ['tlsv1.2', 'not_enabled'],
    ]);
  });

  it('says why no certificate fits', () => {
    const { server } = traced(
      { signatureSchemes: ['ed25519'] },
      { credentials: [leaf('rsa').credential, leaf('secp256r1').credential] },
    );
    assert.deepEqual(find(server, 'certificate').fields.passed_over, [
      [1, 'no_shared_scheme'],
      [2, 'no_shared_scheme'],
    ]);
    const schemes = new Map(
      find(server, 'signature_scheme').fields.passed_over as [string, string][],
    );
    assert.equal(schemes.get('ed25519'), 'other_key');
    assert.equal(schemes.get('rsa_pss_rsae_sha256'), 'not_offered');
  });

  it('gives the reason of a certificate that is not trusted', () => {
    const { client } = traced({ trust: trusting(strangeAuthority().der) });
    const alert = find(client, 'unknown_ca').fields;
    assert.equal(alert.level, 'fatal');
    assert.equal(alert.state, 'wait_cert_cr');
    assert.ok((alert.reason as string).length > 0);
  });
});

describe('a trace', () => {
  it('has no secret and nothing that stands for one', () => {
    for (const version of ['tlsv1.3', 'tlsv1.2'] as const) {
      const config = { versions: [version], keepSecrets: true };
      const { pair, client, server } = traced(config, config);
      const told = Buffer.concat([...client, ...server].map(({ value }) => bytesIn(value)));
      const secrets = Object.values(pair.client.info.secrets ?? {}) as Uint8Array[];
      assert.ok(secrets.length > 0);
      for (const secret of secrets) {
        assert.ok(!told.includes(Buffer.from(secret)));
        assert.ok(!told.includes(Buffer.from(secret).toString('hex')));
      }
    }
  });

  it('shows what does not decode by its size, and leaves it to the handshake to refuse it', () => {
    const tamper = (bytes: Uint8Array, { msgType }: { msgType: string }): Uint8Array => {
      if (msgType !== 'encrypted_extensions') return bytes;
      return Uint8Array.of(8, 0, 0, 1, 7);
    };
    const pair = new Pair(clientConfig(), serverConfig(), { serverHooks: { tamper } });
    const steps = follow(pair.client.engine);
    pair.handshake();
    const broken = find(steps, 'encrypted_extensions');
    assert.deepEqual(broken.fields, { size: 5, undecodable: true });
    assert.equal(pair.client.lastAlert, 'sent fatal decode_error');
  });

  it('begins in the middle of a connection, too', () => {
    const pair = new Pair(
      clientConfig({ versions: ['tlsv1.2'] }),
      serverConfig({ versions: ['tlsv1.2'] }),
    );
    pair.handshake();
    const steps = follow(pair.server.engine);
    pair.client.engine.renegotiate();
    pair.run();
    assert.ok(outline(steps).includes('received client_key_exchange'));
    assert.ok(steps.every(({ fields }) => fields.undecodable === undefined));
    assert.equal(steps.at(-1)?.kind, 'renegotiated');
  });

  it('says whose order of suites decides', () => {
    const reversed = [...suites13].reverse();
    const { server } = traced({ cipherSuites: reversed }, { honorCipherOrder: true });
    const decision = server.find(
      ({ kind, name }) => kind === 'decision' && name === 'cipher_suite',
    );
    assert.equal(decision?.fields.order, 'server');
    assert.equal(decision?.fields.chosen, suite('TLS_AES_256_GCM_SHA384').name);
  });
});
