/** Why something was not chosen, asked of engines that have agreed, or failed to. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  explainCandidate,
  type Subject,
  tellChoices,
} from '../../../../../src/ssl/tls/account/explain.ts';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import type { TlsEngine } from '../../../../../src/ssl/tls/engine.ts';
import {
  clientConfig,
  connectedPair,
  schemes,
  suite,
  suites12,
  suites13,
} from '../../../../support/engine_pair.ts';
import { leaf } from '../../../../support/engine_pki.ts';
import { plain } from '../../../../support/engine_trace.ts';

const only12 = { versions: ['tlsv1.2'] } as const satisfies Partial<EngineConfig>;

/** `reason / what was chosen`. */
function why(engine: TlsEngine, subject: Subject, what: string | number | Uint8Array): string {
  const verdict = explainCandidate(subject, what, engine.choices);
  if (verdict === undefined) return 'no such thing';
  return `${verdict.reason ?? 'chosen'} / ${plain(verdict.instead)}`;
}

describe('versions', () => {
  it('of a server', () => {
    const { server } = connectedPair(
      { versions: ['tlsv1.2', 'tlsv1.1'] },
      {
        versions: ['tlsv1.3', 'tlsv1.2', 'tlsv1.1'],
      },
    );
    assert.equal(why(server.engine, 'version', 'tlsv1.3'), 'not_offered / tlsv1.2');
    assert.equal(why(server.engine, 'version', 'tlsv1.2'), 'chosen / tlsv1.2');
    assert.equal(why(server.engine, 'version', 'tlsv1.1'), 'older / tlsv1.2');
    assert.equal(why(server.engine, 'version', 'tlsv1'), 'not_enabled / tlsv1.2');
    assert.equal(why(server.engine, 'version', 'tlsv9'), 'no such thing');
  });

  it('of a client', () => {
    const { client } = connectedPair({}, only12);
    assert.equal(why(client.engine, 'version', 'tlsv1.3'), 'not_taken / tlsv1.2');
    assert.equal(why(client.engine, 'version', 'tlsv1.1'), 'not_enabled / tlsv1.2');
  });
});

describe('suites', () => {
  const ecdsa = suites12[0].name;
  const rsa = suites12[1].name;

  it('of a server of TLS 1.3', () => {
    const { server } = connectedPair({ cipherSuites: [suites13[1], suites13[0]] });
    const chosen = suites13[1].name;
    assert.equal(why(server.engine, 'cipher_suite', chosen), `chosen / ${chosen}`);
    assert.equal(
      why(server.engine, 'cipher_suite', suites13[0].name),
      `less_preferred / ${chosen}`,
    );
    assert.equal(why(server.engine, 'cipher_suite', suites13[2].name), `not_offered / ${chosen}`);
    assert.equal(why(server.engine, 'cipher_suite', ecdsa), `not_of_version / ${chosen}`);
    const off = 'TLS_RSA_WITH_AES_128_CBC_SHA';
    assert.equal(why(server.engine, 'cipher_suite', off), `not_enabled / ${chosen}`);
    assert.equal(why(server.engine, 'cipher_suite', 'TLS_NO'), 'no such thing');
  });

  it('of a server before TLS 1.3: for want of a certificate, of a group', () => {
    const { server } = connectedPair(only12, only12);
    assert.equal(why(server.engine, 'cipher_suite', rsa), `no_suitable_certificate / ${ecdsa}`);
    const rsaKx = suite('TLS_RSA_WITH_AES_128_GCM_SHA256');
    const both = { ...only12, cipherSuites: [...suites12, rsaKx] };
    const failed = connectedPair(
      { ...both, groups: ['secp521r1'] },
      { ...both, groups: ['x25519'], credentials: [leaf('rsa').credential] },
    );
    assert.equal(why(failed.server.engine, 'cipher_suite', rsa), `no_shared_group / ${rsaKx.name}`);
  });

  it('of a client', () => {
    const { client } = connectedPair({}, only12);
    assert.equal(why(client.engine, 'cipher_suite', suites13[0].name), `not_of_version / ${ecdsa}`);
    assert.equal(why(client.engine, 'cipher_suite', rsa), `not_taken / ${ecdsa}`);
  });

  it('after a failure', () => {
    const { server, client } = connectedPair(
      { ...only12, cipherSuites: [suites12[1]] },
      { ...only12, cipherSuites: suites12 },
    );
    assert.equal(server.lastAlert, 'sent fatal insufficient_security');
    assert.equal(why(server.engine, 'cipher_suite', rsa), 'no_suitable_certificate / none');
    assert.equal(why(server.engine, 'cipher_suite', ecdsa), 'not_offered / none');
    assert.equal(why(client.engine, 'cipher_suite', rsa), 'no_answer / none');
  });
});

describe('groups', () => {
  it('of a server: a share that has come goes before one that has to be asked for', () => {
    const { server } = connectedPair(
      { groups: ['x25519', 'secp384r1', 'secp256r1'] },
      { groups: ['secp384r1', 'x25519', 'x448'] },
    );
    assert.equal(why(server.engine, 'group', 'secp384r1'), 'no_key_share / x25519');
    assert.equal(why(server.engine, 'group', 'x448'), 'not_offered / x25519');
    assert.equal(why(server.engine, 'group', 'secp256r1'), 'not_enabled / x25519');
    assert.equal(why(server.engine, 'group', 'x25519'), 'chosen / x25519');
  });

  it('of a server before TLS 1.3, of a client', () => {
    const { server, client } = connectedPair(
      { ...only12, groups: ['secp256r1', 'x25519'] },
      { ...only12, groups: ['x25519', 'secp256r1', 'x25519mlkem768'] },
    );
    assert.equal(why(server.engine, 'group', 'x25519'), 'less_preferred / secp256r1');
    assert.equal(why(server.engine, 'group', 'x25519mlkem768'), 'not_of_version / secp256r1');
    assert.equal(why(client.engine, 'group', 'x25519'), 'not_taken / secp256r1');
  });

  it('that a suite without an agreement has no use for', () => {
    const rsa = suite('TLS_RSA_WITH_AES_128_GCM_SHA256');
    const config = { ...only12, cipherSuites: [rsa] };
    const { server } = connectedPair(config, { ...config, credentials: [leaf('rsa').credential] });
    assert.equal(why(server.engine, 'group', 'x25519'), 'not_needed / none');
    assert.equal(
      why(server.engine, 'signature_scheme', 'rsa_pss_rsae_sha256'),
      'not_needed / none',
    );
  });
});

describe('certificates and signature schemes', () => {
  const [rsa, p256, p384] = [leaf('rsa'), leaf('secp256r1'), leaf('secp384r1')];

  it('of a server', () => {
    const { server } = connectedPair(
      { signatureSchemes: ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256'] },
      { credentials: [p384.credential, rsa.credential, p256.credential] },
    );
    assert.equal(why(server.engine, 'certificate', 1), 'no_shared_scheme / 2');
    assert.equal(why(server.engine, 'certificate', 2), 'chosen / 2');
    assert.equal(why(server.engine, 'certificate', 3), 'less_preferred / 2');
    assert.equal(why(server.engine, 'certificate', 4), 'no such thing');
    const der = p384.credential.chain[0] as Uint8Array;
    assert.equal(why(server.engine, 'certificate', der), 'no_shared_scheme / 2');
    const chosen = 'rsa_pss_rsae_sha256';
    assert.equal(why(server.engine, 'signature_scheme', chosen), `chosen / ${chosen}`);
    const others = ['ecdsa_secp256r1_sha256', 'ed25519', 'rsa_pkcs1_sha1'];
    assert.deepEqual(
      others.map((name) => why(server.engine, 'signature_scheme', name)),
      [`other_key / ${chosen}`, `not_offered / ${chosen}`, `not_enabled / ${chosen}`],
    );
  });

  it('of a server before TLS 1.3, whose suite has no use for them', () => {
    const { server } = connectedPair(
      { ...only12, cipherSuites: [suites12[1]] },
      { ...only12, credentials: [p256.credential, rsa.credential] },
    );
    assert.equal(why(server.engine, 'certificate', 1), 'key_not_usable / 2');
  });

  it('of a client: asked for, or not', () => {
    const credentials = [p256.credential, rsa.credential];
    const { trust } = clientConfig();
    const asked = connectedPair(
      { credentials },
      {
        verify: 'peer',
        trust,
        signatureSchemes: ['rsa_pss_rsae_sha256', 'ecdsa_secp384r1_sha384'],
        signatureSchemesCert: schemes,
        credentials: [p384.credential],
      },
    );
    assert.equal(why(asked.client.engine, 'certificate', 1), 'no_shared_scheme / 2');
    // The chains are signed with ECDSA and SHA-256.
    const strict = connectedPair(
      { credentials },
      { verify: 'peer', trust, signatureSchemesCert: ['rsa_pss_rsae_sha256'] },
    );
    assert.equal(why(strict.client.engine, 'certificate', 1), 'chain_not_accepted / none');
    const silent = connectedPair({ credentials });
    assert.equal(why(silent.client.engine, 'certificate', 1), 'not_asked_for / none');
  });

  it('whose chains the client does not take', () => {
    const { server } = connectedPair(
      { signatureSchemesCert: ['rsa_pkcs1_sha256'] },
      { credentials: [p256.credential] },
    );
    // One that does not fit is shown all the same where there is no other.
    assert.equal(why(server.engine, 'certificate', 1), 'chosen / 1');
  });
});

describe('the account of all choices', () => {
  it('has each choice, with what both sides had', () => {
    const { server } = connectedPair({ alpn: [Buffer.from('h2')] }, { alpn: [Buffer.from('h2')] });
    const told = plain({ map: tellChoices(server.engine.choices) }) as Record<
      string,
      { chosen: unknown; peer: unknown }
    >;
    assert.deepEqual(Object.keys(told), [
      'version',
      'resumption',
      'cipher_suite',
      'group',
      'certificate',
      'signature_scheme',
      'alpn',
    ]);
    assert.deepEqual(told.version?.peer, ['tlsv1.3', 'tlsv1.2']);
    assert.equal(told.resumption?.chosen, 'full');
    assert.equal(Buffer.from(told.alpn?.chosen as Uint8Array).toString(), 'h2');
  });
});
