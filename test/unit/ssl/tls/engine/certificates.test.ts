/** Certificates that are not accepted, and the alerts for them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineConfig } from '../../../../../src/ssl/tls/config.ts';
import type { HandshakeMessage } from '../../../../../src/ssl/tls/messages/handshake.ts';
import { connectedPair, type Pair, schemes, trusting } from '../../../../support/engine_pair.ts';
import { authority, leaf, strangeAuthority } from '../../../../support/engine_pki.ts';

const DAY = 86_400_000;
const versions = ['tlsv1.3', 'tlsv1.2'] as const;

function refusedByClient(pair: Pair, alert: string, cause: unknown): void {
  const sent = pair.client.alerts.at(-1);
  assert.equal(pair.client.lastAlert, `sent fatal ${alert}`, pair.client.describe());
  assert.deepEqual(sent?.cause, cause);
  assert.equal(pair.server.lastAlert, `received fatal ${alert}`);
  assert.equal(pair.client.engine.info, undefined);
}

for (const version of versions) {
  const connect = (client: Partial<EngineConfig>, server: Partial<EngineConfig> = {}): Pair =>
    connectedPair({ versions: [version], ...client }, server);

  describe(`a server's certificate in ${version}`, () => {
    it('of an unknown authority: unknown_ca', () => {
      for (const trust of [trusting(strangeAuthority().der), trusting(), undefined]) {
        refusedByClient(connect({ trust }), 'unknown_ca', ['bad_cert', 'unknown_ca']);
      }
    });

    it('that has expired, or is not valid yet: certificate_expired', () => {
      for (const days of [40, -40]) {
        const now = () => Date.now() + days * DAY;
        refusedByClient(connect({ now }), 'certificate_expired', ['bad_cert', 'cert_expired']);
      }
    });

    it('for another name: handshake_failure', () => {
      for (const reference of [{ dns: 'other.example' }, { ip: '127.0.0.2' }]) {
        const cause = ['bad_cert', 'hostname_check_failed'];
        refusedByClient(connect({ reference }), 'handshake_failure', cause);
      }
    });

    it('for its address is accepted', () => {
      assert.equal(connect({ reference: { ip: '127.0.0.1' } }).client.describe(), '');
    });

    it('for a wildcard is refused, as by OTP without the match function for HTTPS', () => {
      const wild = { credentials: [leaf('ed25519', { names: 'DNS:*.example' }).credential] };
      const cause = ['bad_cert', 'hostname_check_failed'];
      refusedByClient(connect({}, wild), 'handshake_failure', cause);
    });

    it('is not looked at by verify none', () => {
      const pair = connect({
        verify: 'none',
        trust: undefined,
        reference: { dns: 'other.example' },
      });
      assert.equal(pair.client.info.peerChain.length, 1);
    });

    it('that cannot be read: bad_certificate', () => {
      for (const verify of ['peer', 'none'] as const) {
        const [der] = leaf('secp256r1').credential.chain;
        const chain = [Buffer.from(der ?? []).subarray(0, 100)];
        const credentials = [{ ...leaf('secp256r1').credential, chain }];
        const pair = connect({ verify }, { credentials });
        assert.equal(pair.client.lastAlert, 'sent fatal bad_certificate');
      }
    });

    it('that is missing: decode_error', () => {
      const serverHooks = {
        rewrite: (message: HandshakeMessage): HandshakeMessage =>
          message.msgType === 'certificate' ? { ...message, certificateList: [] } : message,
      };
      const pair = connectedPair({ versions: [version] }, {}, { serverHooks });
      assert.equal(pair.client.lastAlert, 'sent fatal decode_error');
    });

    it('whose key did not sign: decrypt_error', () => {
      const { credential } = leaf('secp256r1');
      const other = leaf('secp256r1', { names: 'DNS:other.example' }).credential;
      const credentials = [{ ...credential, sign: other.sign }];
      const pair = connect({}, { credentials });
      assert.equal(pair.client.lastAlert, 'sent fatal decrypt_error');
      assert.deepEqual(pair.client.alerts.at(-1)?.cause, [
        'bad_signature',
        'ecdsa_secp256r1_sha256',
      ]);
    });

    it('whose key cannot sign: internal_error', () => {
      const sign = (): never => {
        throw new Error('the token was pulled out');
      };
      const pair = connect({}, { credentials: [{ ...leaf('secp256r1').credential, sign }] });
      assert.equal(pair.client.lastAlert, 'received fatal internal_error');
      assert.doesNotMatch(pair.server.describe(), /token/);
    });

    it('signed by a scheme that was not offered: illegal_parameter', () => {
      const signatureSchemes = schemes.filter((scheme) => scheme !== 'rsa_pss_rsae_sha256');
      const type = version === 'tlsv1.3' ? 'certificate_verify' : 'server_key_exchange';
      const serverHooks = {
        rewrite: (message: HandshakeMessage): HandshakeMessage => {
          if (message.msgType !== type) return message;
          return message.msgType === 'certificate_verify'
            ? { ...message, algorithm: 0x0804 }
            : { ...message, signed: { algorithm: 0x0804, signature: Buffer.alloc(256) } };
        },
      };
      const credentials = [leaf('rsa').credential];
      const pair = connectedPair(
        { versions: [version], signatureSchemes },
        { credentials },
        { serverHooks },
      );
      assert.equal(pair.client.lastAlert, 'sent fatal illegal_parameter');
    });
  });

  describe(`a client's certificate in ${version}`, () => {
    const asking = { verify: 'peer', trust: trusting(authority().der) } as const;

    it('that is missing: certificate_required, before TLS 1.3 handshake_failure', () => {
      const alert = version === 'tlsv1.3' ? 'certificate_required' : 'handshake_failure';
      const pair = connect({}, { ...asking, failIfNoPeerCert: true });
      assert.equal(pair.server.lastAlert, `sent fatal ${alert}`);
      assert.equal(pair.client.lastAlert, `received fatal ${alert}`);
    });

    it('of an unknown authority: unknown_ca', () => {
      const credentials = [leaf('secp256r1').credential];
      const pair = connect({ credentials }, { ...asking, trust: trusting(strangeAuthority().der) });
      assert.equal(pair.server.lastAlert, 'sent fatal unknown_ca');
      // A TLS 1.3 client is through before it hears of it.
      assert.equal(pair.client.engine.info !== undefined, version === 'tlsv1.3');
      assert.equal(pair.client.lastAlert, 'received fatal unknown_ca');
    });

    it('need not match a name', () => {
      const credentials = [leaf('ed448', { names: 'DNS:someone.example' }).credential];
      const pair = connect({ credentials }, asking);
      assert.equal(pair.server.info.peerChain.length, 1);
    });

    it('whose key did not sign: decrypt_error', () => {
      const credential = leaf('secp256r1').credential;
      const other = leaf('secp256r1', { names: 'DNS:other.example' }).credential;
      const pair = connect({ credentials: [{ ...credential, sign: other.sign }] }, asking);
      assert.equal(pair.server.lastAlert, 'sent fatal decrypt_error');
    });

    it('is one of an authority that the server names, where there is one', () => {
      const [known] = asking.trust.certificates;
      const [stranger] = trusting(strangeAuthority().der).certificates;
      const own = leaf('ed25519').credential;
      const strange = { ...own, chain: [strangeAuthority().der] };
      for (const [credentials, authority, sent] of [
        [[strange, own], known, own],
        [[own, strange], stranger, strange],
        [[own], stranger, own],
      ] as const) {
        const certificateAuthorities = [authority?.subject.der ?? Buffer.alloc(0)];
        const pair = connect({ credentials }, { ...asking, certificateAuthorities });
        const certificate = pair.client.engine.info?.ownCertificate;
        // With a stranger's certificate the server refuses; a client of TLS 1.2 never gets through.
        if (certificate === undefined) assert.equal(sent, strange);
        else assert.deepEqual(Buffer.from(certificate), Buffer.from(sent.chain[0] ?? []));
      }
    });

    it('that the server cannot use is not sent', () => {
      const pair = connect(
        { credentials: [leaf('ed25519').credential] },
        { ...asking, signatureSchemes: ['ecdsa_secp256r1_sha256'] },
      );
      assert.equal(pair.server.describe(), '');
      assert.deepEqual(pair.server.info.peerChain, []);
      assert.equal(pair.client.info.ownCertificate, undefined);
    });
  });
}
