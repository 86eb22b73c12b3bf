/** The small form of an offer: what it keeps, and how little room it takes whatever a peer sends. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  packHello,
  packRequest,
  unpackOffer,
} from '../../../../../src/ssl/tls/account/peer_offer.ts';
import type { ClientHello } from '../../../../../src/ssl/tls/messages/client_hello.ts';
import { serverConfig } from '../../../../support/engine_pair.ts';

const config = serverConfig();

function hello(changes: Partial<ClientHello> = {}): ClientHello {
  return {
    msgType: 'client_hello',
    legacyVersion: 0x0303,
    random: new Uint8Array(32),
    legacySessionId: new Uint8Array(0),
    cipherSuites: [0x1301, 0x0a0a, 0xc02b, 0x1301],
    legacyCompressionMethods: Uint8Array.of(0),
    extensions: {},
    ...changes,
  };
}

describe('an offer', () => {
  it('keeps what has a name, once, in its order', () => {
    const offer = unpackOffer(packHello(hello(), config));
    assert.deepEqual(offer.cipherSuites, [0x1301, 0xc02b]);
    assert.equal(offer.legacyVersion, 0x0303);
    assert.equal(offer.versions, undefined);
    assert.equal(offer.groups, undefined);
    assert.equal(offer.resumption, false);
  });

  it('keeps lists that are empty apart from those that are not there', () => {
    const extensions = {
      supported_groups: [0x0a0a],
      key_share: [{ group: 29, keyExchange: new Uint8Array(32) }],
      signature_algorithms: [0x0403],
      supported_versions: [0x0304, 0x7f17],
      application_layer_protocol_negotiation: [Buffer.from('h2'), Buffer.from('http/1.1')],
      srp: Buffer.from('user'),
      session_ticket: new Uint8Array(9),
    };
    const offer = unpackOffer(packHello(hello({ extensions }), config));
    assert.deepEqual(offer.groups, []);
    assert.deepEqual(offer.keyShares, [29]);
    assert.deepEqual(offer.versions, [0x0304]);
    assert.deepEqual(offer.signatureSchemes, [0x0403]);
    assert.equal(offer.signatureSchemesCert, undefined);
    const names = offer.alpn?.map((name) => Buffer.from(name).toString());
    assert.deepEqual(names, ['h2', 'http/1.1']);
    assert.ok(offer.user && offer.resumption);
  });

  it('of a CertificateRequest keeps schemes and types', () => {
    const offer = unpackOffer(
      packRequest(
        {
          msgType: 'certificate_request',
          certificateTypes: Uint8Array.of(64, 1),
          supportedSignatureAlgorithms: [0x0403, 0x0804],
          certificateAuthorities: [Uint8Array.of(0x30, 0)],
        },
        config,
      ),
    );
    assert.deepEqual(offer.certificateTypes, [64, 1]);
    assert.deepEqual(offer.signatureSchemes, [0x0403, 0x0804]);
    assert.equal(offer.issued[0], false);
  });

  it('is small whatever a peer sends', () => {
    const every = Array.from({ length: 32767 }, (_, code) => code * 2);
    const extensions = {
      supported_groups: every,
      signature_algorithms: every,
      signature_algorithms_cert: every,
      supported_versions: every.slice(0, 127),
      application_layer_protocol_negotiation: Array.from({ length: 200 }, () => Buffer.alloc(200)),
    };
    const packed = packHello(hello({ cipherSuites: every, extensions }), config);
    assert.ok(packed.length < 1000, `${packed.length} units`);
    unpackOffer(packed);
  });

  it('of a usual client takes less than 200 bytes', () => {
    // What the s_client of OpenSSL 3.0 sends.
    const suites = [
      0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f,
      0x009e, 0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009,
      0xc013, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x00ff,
    ];
    const extensions = {
      supported_groups: [29, 23, 30, 25, 24, 256, 257, 258, 259, 260],
      key_share: [{ group: 29, keyExchange: new Uint8Array(32) }],
      supported_versions: [0x0304, 0x0303],
      signature_algorithms: [
        0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081a, 0x081b, 0x081c, 0x0809, 0x080a, 0x080b,
        0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502,
        0x0602,
      ],
    };
    const packed = packHello(hello({ cipherSuites: suites, extensions }), config);
    assert.ok(packed.length * 2 < 184, `${packed.length} units`);
  });
});
