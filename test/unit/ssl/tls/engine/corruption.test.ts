/**
 * One changed byte, and the exact alert it must cause: in records on the wire, and in handshake messages
 * before they are protected.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AlertDescription } from '../../../../../src/ssl/tls/events.ts';
import {
  clientConfig,
  connectedPair,
  Pair,
  serverConfig,
} from '../../../../support/engine_pair.ts';
import { leaf } from '../../../../support/engine_pki.ts';

type Version = 'tlsv1.2' | 'tlsv1.3';
type Who = 'client' | 'server';

/** Where a byte is changed: from the start, or (negative) from the end of the message. */
interface Change {
  readonly sender: Who;
  readonly message: string;
  readonly at: number;
  /** XORed into the byte. */
  readonly with?: number;
  readonly alert: AlertDescription;
  readonly what: string;
}

const both: readonly Change[] = [
  {
    sender: 'client',
    message: 'client_hello',
    at: 4,
    with: 0x03,
    alert: 'protocol_version',
    what: 'legacy_version',
  },
  {
    sender: 'client',
    message: 'client_hello',
    at: 38,
    with: 0xff,
    alert: 'decode_error',
    what: 'length of the session id',
  },
  {
    sender: 'client',
    message: 'client_hello',
    at: 3,
    alert: 'decode_error',
    what: 'length, one shorter or longer',
  },
  {
    sender: 'server',
    message: 'server_hello',
    at: 38,
    with: 0xff,
    alert: 'decode_error',
    what: 'length of the session id',
  },
  {
    sender: 'server',
    message: 'certificate',
    at: -5,
    alert: 'unknown_ca',
    what: 'signature of the certificate',
  },
];

const changes: Readonly<Record<Version, readonly Change[]>> = {
  'tlsv1.3': [
    ...both.filter(({ what }) => what !== 'legacy_version'),
    {
      sender: 'client',
      message: 'client_hello',
      at: 39,
      alert: 'illegal_parameter',
      what: 'session id',
    },
    {
      sender: 'server',
      message: 'server_hello',
      at: 4,
      with: 0x03,
      alert: 'illegal_parameter',
      what: 'legacy_version',
    },
    { sender: 'server', message: 'server_hello', at: 10, alert: 'bad_record_mac', what: 'random' },
    {
      sender: 'server',
      message: 'server_hello',
      at: 40,
      alert: 'illegal_parameter',
      what: 'session id',
    },
    {
      sender: 'server',
      message: 'server_hello',
      at: 71,
      alert: 'illegal_parameter',
      what: 'cipher suite',
    },
    {
      sender: 'server',
      message: 'server_hello',
      at: 73,
      alert: 'illegal_parameter',
      what: 'compression method',
    },
    {
      sender: 'server',
      message: 'server_hello',
      at: 80,
      alert: 'illegal_parameter',
      what: 'group of the share',
    },
    { sender: 'server', message: 'server_hello', at: 90, alert: 'bad_record_mac', what: 'share' },
    {
      sender: 'server',
      message: 'encrypted_extensions',
      at: 5,
      alert: 'decode_error',
      what: 'length of extensions',
    },
    {
      sender: 'server',
      message: 'certificate_request',
      at: 4,
      alert: 'decode_error',
      what: 'length of the context',
    },
    {
      sender: 'server',
      message: 'certificate',
      at: 4,
      alert: 'decode_error',
      what: 'length of the context',
    },
    {
      sender: 'server',
      message: 'certificate_verify',
      at: 5,
      with: 0x55,
      alert: 'illegal_parameter',
      what: 'scheme',
    },
    {
      sender: 'server',
      message: 'certificate_verify',
      at: -1,
      alert: 'decrypt_error',
      what: 'signature',
    },
    { sender: 'server', message: 'finished', at: 10, alert: 'decrypt_error', what: 'verify_data' },
    {
      sender: 'client',
      message: 'certificate',
      at: -5,
      alert: 'unknown_ca',
      what: 'signature of the certificate',
    },
    {
      sender: 'client',
      message: 'certificate_verify',
      at: 5,
      with: 0x55,
      alert: 'illegal_parameter',
      what: 'scheme',
    },
    {
      sender: 'client',
      message: 'certificate_verify',
      at: -1,
      alert: 'decrypt_error',
      what: 'signature',
    },
    { sender: 'client', message: 'finished', at: -1, alert: 'decrypt_error', what: 'verify_data' },
  ],
  'tlsv1.2': [
    ...both,
    { sender: 'client', message: 'client_hello', at: 10, alert: 'decrypt_error', what: 'random' },
    {
      sender: 'server',
      message: 'server_hello',
      at: 4,
      with: 0x03,
      alert: 'protocol_version',
      what: 'version',
    },
    { sender: 'server', message: 'server_hello', at: 10, alert: 'decrypt_error', what: 'random' },
    {
      sender: 'server',
      message: 'server_hello',
      at: 73,
      alert: 'illegal_parameter',
      what: 'compression method',
    },
    {
      sender: 'server',
      message: 'server_key_exchange',
      at: 4,
      alert: 'illegal_parameter',
      what: 'curve type',
    },
    {
      sender: 'server',
      message: 'server_key_exchange',
      at: 6,
      alert: 'decrypt_error',
      what: 'curve',
    },
    {
      sender: 'server',
      message: 'server_key_exchange',
      at: 20,
      alert: 'decrypt_error',
      what: 'point',
    },
    {
      sender: 'server',
      message: 'server_key_exchange',
      at: -1,
      alert: 'decrypt_error',
      what: 'signature',
    },
    {
      sender: 'server',
      message: 'server_hello_done',
      at: 3,
      alert: 'decode_error',
      what: 'length',
    },
    {
      sender: 'client',
      message: 'certificate',
      at: -5,
      alert: 'unknown_ca',
      what: 'signature of the certificate',
    },
    {
      sender: 'client',
      message: 'client_key_exchange',
      at: 4,
      alert: 'decode_error',
      what: 'length of the point',
    },
    {
      sender: 'client',
      message: 'client_key_exchange',
      at: 20,
      alert: 'decrypt_error',
      what: 'point',
    },
    {
      sender: 'client',
      message: 'certificate_verify',
      at: -1,
      alert: 'decrypt_error',
      what: 'signature',
    },
    { sender: 'client', message: 'finished', at: 10, alert: 'decrypt_error', what: 'verify_data' },
    { sender: 'server', message: 'finished', at: 10, alert: 'decrypt_error', what: 'verify_data' },
  ],
};

/** The bytes with one of them changed; messages that grow by it get the byte they promise. */
function corrupt(bytes: Uint8Array, { at, with: mask = 0x01, what }: Change): Uint8Array {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ mask;
  const grows = at === 3 && (copy[3] ?? 0) > (bytes[3] ?? 0);
  assert.notEqual(Buffer.compare(copy, bytes), 0, what);
  return grows ? Buffer.concat([copy, Buffer.alloc(1)]) : at === 3 ? copy.subarray(0, -1) : copy;
}

for (const version of ['tlsv1.3', 'tlsv1.2'] as const) {
  describe(`one byte of a message of ${version}`, () => {
    for (const change of changes[version]) {
      it(`${change.message} of the ${change.sender}, ${change.what}: ${change.alert}`, () => {
        let changed = false;
        const tamper = (bytes: Uint8Array, message: { msgType: string }): Uint8Array => {
          if (message.msgType !== change.message) return bytes;
          changed = true;
          return corrupt(bytes, change);
        };
        const pair = new Pair(
          clientConfig({ versions: [version], credentials: [leaf('secp256r1').credential] }),
          serverConfig({ versions: [version], verify: 'peer', trust: clientConfig().trust }),
          change.sender === 'client' ? { clientHooks: { tamper } } : { serverHooks: { tamper } },
        ).handshake();
        assert.equal(changed, true);
        // The transcripts differ, so it may be the other side that finds out, and where the keys differ too
        // neither can read the other's alert.
        const sent = [...pair.client.alerts, ...pair.server.alerts].filter(
          ({ direction }) => direction === 'sent',
        );
        assert.deepEqual(
          [...new Set(sent.map(({ description }) => description))],
          [change.alert],
          `${pair.client.describe()} / ${pair.server.describe()}`,
        );
      });
    }
  });

  describe(`one byte of a record of ${version}`, () => {
    const wire = (): { pair: Pair; record: Buffer } => {
      const pair = connectedPair({ versions: [version] });
      pair.client.engine.send(Buffer.from('secret'));
      return { pair, record: pair.client.take() };
    };
    const alertFor = (at: number, mask: number): string | undefined => {
      const { pair, record } = wire();
      record[at] = (record[at] ?? 0) ^ mask;
      pair.server.engine.receive(record);
      assert.equal(pair.server.received.length, 0);
      return pair.server.lastAlert;
    };

    it('behind the header: bad_record_mac, wherever it is', () => {
      const { length } = wire().record;
      for (let at = 5; at < length; at++) {
        assert.equal(alertFor(at, 1 << (at % 8)), 'sent fatal bad_record_mac', String(at));
      }
    });

    it('in the header', () => {
      assert.equal(alertFor(0, 0xff), 'sent fatal unexpected_message');
      assert.equal(alertFor(1, 0x01), 'sent fatal protocol_version');
      assert.equal(alertFor(3, 0x80), 'sent fatal record_overflow');
      const version2 = version === 'tlsv1.3' ? 'bad_record_mac' : 'protocol_version';
      assert.equal(alertFor(2, 0x01), `sent fatal ${version2}`);
      // another type under the same keys
      assert.equal(
        alertFor(0, 0x17 ^ 0x16),
        version === 'tlsv1.3' ? 'sent fatal unexpected_message' : 'sent fatal bad_record_mac',
      );
      // one byte less: the tag fails; one byte more: the record is not complete yet
      const less = version === 'tlsv1.3' ? 'sent fatal bad_record_mac' : undefined;
      assert.equal(alertFor(4, 0x01), less);
    });
  });
}

describe('records that replay, reorder or leave out others', () => {
  for (const version of ['tlsv1.3', 'tlsv1.2'] as const) {
    it(`are bad_record_mac in ${version}`, () => {
      for (const order of [[0, 0], [1, 0], [1]]) {
        const pair = connectedPair({ versions: [version] });
        const records = ['one', 'two'].map((text) => {
          pair.client.engine.send(Buffer.from(text));
          return pair.client.take();
        });
        for (const index of order) pair.server.engine.receive(records[index] ?? Buffer.alloc(0));
        assert.equal(pair.server.lastAlert, 'sent fatal bad_record_mac');
      }
    });
  }
});

describe('change_cipher_spec out of place', () => {
  const record = Buffer.from([20, 3, 3, 0, 1, 1]);

  it('before the key exchange of TLS 1.2 is refused', () => {
    const pair = new Pair(clientConfig({ versions: ['tlsv1.2'] }));
    pair.server.engine.start();
    pair.client.engine.start();
    pair.server.engine.receive(pair.client.take());
    pair.server.engine.receive(record);
    assert.equal(pair.server.lastAlert, 'sent fatal unexpected_message');
  });

  it('during a handshake of TLS 1.3 is dropped, but not for ever', () => {
    const pair = new Pair();
    pair.server.engine.start();
    pair.client.engine.start();
    pair.client.engine.receive(record);
    pair.server.engine.receive(pair.client.take());
    for (let count = 0; count < 20; count++) pair.server.engine.receive(record);
    pair.run();
    assert.equal(pair.client.describe() + pair.server.describe(), '');
    pair.server.engine.receive(record);
    assert.equal(pair.server.lastAlert, 'sent fatal unexpected_message');
    const flooded = new Pair();
    flooded.client.engine.start();
    for (let count = 0; count < 40; count++) flooded.client.engine.receive(record);
    assert.equal(flooded.client.lastAlert, 'sent fatal unexpected_message');
  });

  it('with another body is refused', () => {
    const pair = new Pair();
    pair.client.engine.start();
    pair.client.engine.receive(Buffer.from([20, 3, 3, 0, 1, 2]));
    assert.equal(pair.client.lastAlert, 'sent fatal unexpected_message');
  });
});

describe('things that are no TLS', () => {
  for (const [what, text, alert] of [
    ['an HTTP request', 'GET / HTTP/1.1\r\n\r\n', 'unexpected_message'],
    ['an SMTP greeting', '220 mail.example ESMTP\r\n', 'unexpected_message'],
  ] as const) {
    it(`${what}: ${alert}`, () => {
      for (const who of ['client', 'server'] as const) {
        const side = new Pair()[who];
        side.engine.start();
        side.engine.receive(Buffer.from(text));
        assert.equal(side.lastAlert, `sent fatal ${alert}`);
        assert.deepEqual(side.alerts.at(-1)?.cause, [
          'unsupported_record_type',
          text.charCodeAt(0),
        ]);
      }
    });
  }

  it('a message larger than the limit: handshake_failure', () => {
    const { server } = new Pair(clientConfig(), serverConfig({ maxHandshakeSize: 1000 }));
    server.engine.start();
    server.engine.receive(Buffer.from([22, 3, 1, 0, 4, 1, 0, 4, 0]));
    assert.equal(server.lastAlert, 'sent fatal handshake_failure');
  });
});

describe('alerts of the peer', () => {
  const alert = (level: number, code: number): Buffer => Buffer.from([21, 3, 3, 0, 2, level, code]);
  const clientThatReceives = (...records: readonly Buffer[]) => {
    const { client } = new Pair(clientConfig({ versions: ['tlsv1.2'] }));
    client.engine.start();
    for (const record of records) client.engine.receive(record);
    return client;
  };

  it('that are fatal end the connection without an answer', () => {
    const client = clientThatReceives(alert(2, 40));
    assert.equal(client.lastAlert, 'received fatal handshake_failure');
    assert.equal(client.closed, 'alert');
  });

  it('that only warn do not, unless they are too many', () => {
    const one = clientThatReceives(alert(1, 112));
    assert.equal(one.lastAlert, 'received warning unrecognized_name');
    assert.equal(one.closed, undefined);
    const many = clientThatReceives(...Array(40).fill(alert(1, 112)));
    assert.equal(many.lastAlert, 'sent fatal unexpected_message');
  });

  it('that come instead of a ClientHello are refused by a server', () => {
    for (const [code, last] of [
      [100, 'sent fatal unexpected_message'],
      [10, 'sent fatal unexpected_message'],
      [90, 'received warning user_canceled'],
    ] as const) {
      const { server } = new Pair(clientConfig());
      server.engine.start();
      server.engine.receive(alert(1, code));
      assert.equal(server.lastAlert, last);
    }
  });

  it('that are not registered have no name', () => {
    assert.equal(clientThatReceives(alert(2, 200)).lastAlert, 'received fatal unknown');
  });

  it('that are malformed: decode_error', () => {
    assert.equal(
      clientThatReceives(Buffer.from([21, 3, 3, 0, 1, 2])).lastAlert,
      'sent fatal decode_error',
    );
    assert.equal(clientThatReceives(alert(7, 0)).lastAlert, 'sent fatal decode_error');
  });
});
