import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertFor, TlsFault } from '../../../../../src/ssl/tls/faults.ts';
import {
  extensionCode,
  extensionNames,
  isGrease,
} from '../../../../../src/ssl/tls/iana/extensions.ts';
import {
  offeredExtensions,
  readClientHello,
} from '../../../../../src/ssl/tls/messages/client_hello.ts';
import type { ExtensionPlace } from '../../../../../src/ssl/tls/messages/extensions/extension.ts';
import {
  fragmentLengthCode,
  fragmentLengthOf,
} from '../../../../../src/ssl/tls/messages/extensions/max_fragment_length.ts';
import {
  bindersLength,
  truncatedClientHello,
} from '../../../../../src/ssl/tls/messages/extensions/pre_shared_key.ts';
import {
  type ExtensionContext,
  readExtensions,
  writeExtensions,
} from '../../../../../src/ssl/tls/messages/extensions/registry.ts';
import {
  hostNameIn,
  serverNameOf,
} from '../../../../../src/ssl/tls/messages/extensions/server_name.ts';
import { writeHandshakeTls13 } from '../../../../../src/ssl/tls/messages/handshake.ts';
import { WireReader, WireWriter } from '../../../../../src/ssl/tls/wire.ts';
import { bytes, samplesTls13 } from './samples.ts';

/** A block of extensions with the bodies given in hex. */
function block(...entries: readonly (readonly [number, string])[]): Uint8Array {
  const writer = new WireWriter();
  writer.vector16(() => {
    for (const [type, hex] of entries) writer.u16(type).opaque16(Buffer.from(hex, 'hex'));
  });
  return writer.finish();
}

function read(place: ExtensionPlace, encoded: Uint8Array, context?: ExtensionContext): unknown {
  const reader = new WireReader(encoded, 'test');
  const extensions = readExtensions(place, reader, context);
  reader.end();
  return extensions;
}

function refused(run: () => unknown): readonly [string, string] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TlsFault, String(error));
    return [error.reason, alertFor(error)];
  }
  assert.fail('not refused');
}

test('an extension that appears twice is an illegal_parameter, GREASE included', () => {
  for (const type of [extensionCode('cookie'), 0x0a0a]) {
    const body = type === 0x0a0a ? '' : '000101';
    const twice = block([type, body], [type, body]);
    assert.deepEqual(
      refused(() => read('client_hello', twice)),
      ['duplicate_extension', 'illegal_parameter'],
    );
  }
});

test('a known extension in a message that may not carry it is an illegal_parameter', () => {
  const misplaced: readonly (readonly [ExtensionPlace, number, string])[] = [
    ['server_hello', extensionCode('application_layer_protocol_negotiation'), '0003026832'],
    ['encrypted_extensions', extensionCode('key_share'), '001d0001ff'],
    ['certificate', extensionCode('server_name'), ''],
    ['certificate_request', extensionCode('key_share'), '001d0001ff'],
    ['new_session_ticket', extensionCode('supported_versions'), '0304'],
    ['server_hello_tls12', extensionCode('cookie'), '000101'],
    ['hello_retry_request', extensionCode('pre_shared_key'), '0000'],
  ];
  for (const [place, type, body] of misplaced) {
    const found = refused(() => read(place, block([type, body])));
    assert.deepEqual(found, ['misplaced_extension', 'illegal_parameter'], place);
  }
});

/** RFC 8446 §4.2, with RFC 8449 §4, RFC 8879 §3 and, for TLS 1.2, the RFC of each extension. */
const PLACES: Record<string, string> = {
  server_name: 'CH EE SH12',
  max_fragment_length: 'CH EE SH12',
  status_request: 'CH CR CT SH12',
  supported_groups: 'CH EE SH12',
  ec_point_formats: 'CH SH12',
  srp: 'CH',
  signature_algorithms: 'CH CR',
  application_layer_protocol_negotiation: 'CH EE SH12',
  padding: 'CH',
  encrypt_then_mac: 'CH SH12',
  extended_master_secret: 'CH SH12',
  compress_certificate: 'CH CR',
  record_size_limit: 'CH EE SH12',
  session_ticket: 'CH SH12',
  pre_shared_key: 'CH SH',
  early_data: 'CH EE NST',
  supported_versions: 'CH SH HRR',
  cookie: 'CH HRR',
  psk_key_exchange_modes: 'CH',
  certificate_authorities: 'CH CR',
  post_handshake_auth: 'CH',
  signature_algorithms_cert: 'CH CR',
  key_share: 'CH SH HRR',
  next_protocol_negotiation: 'CH SH12',
  renegotiation_info: 'CH SH12',
};

const SHORT: Record<ExtensionPlace, string> = {
  client_hello: 'CH',
  server_hello: 'SH',
  server_hello_tls12: 'SH12',
  hello_retry_request: 'HRR',
  encrypted_extensions: 'EE',
  certificate: 'CT',
  certificate_request: 'CR',
  new_session_ticket: 'NST',
};

test('every extension stands where its RFC puts it, and nowhere else', () => {
  for (const name of extensionNames) {
    const places = PLACES[name]?.split(' ');
    for (const [place, short] of Object.entries(SHORT) as [ExtensionPlace, string][]) {
      let reason = '';
      let found: unknown;
      try {
        found = read(place, block([extensionCode(name), '']));
      } catch (error) {
        assert.ok(error instanceof TlsFault, String(error));
        reason = error.reason;
      }
      const label = `${name} in ${place}`;
      if (places === undefined) {
        const kept = {
          unknown: [{ type: extensionCode(name), data: new Uint8Array(0), position: 0 }],
        };
        assert.deepEqual(found, kept, label);
      } else {
        assert.equal(reason === 'misplaced_extension', !places.includes(short), label);
      }
    }
  }
});

test('an answer to what was not offered is an unsupported_extension, the cookie excepted', () => {
  const nothing = { offered: new Set<number>() };
  const unsolicited = ['unsolicited_extension', 'unsupported_extension'];
  const name = extensionCode('server_name');
  assert.deepEqual(
    refused(() => read('encrypted_extensions', block([name, '']), nothing)),
    unsolicited,
  );
  assert.deepEqual(
    refused(() => read('certificate', block([18, '']), nothing)),
    unsolicited,
  );
  assert.deepEqual(
    refused(() => read('server_hello', block([0x1234, '']), nothing)),
    unsolicited,
  );
  const cookie = block([extensionCode('cookie'), '000101']);
  assert.deepEqual(read('hello_retry_request', cookie, nothing), { cookie: new Uint8Array([1]) });
  assert.deepEqual(read('encrypted_extensions', block([name, '']), { offered: new Set([name]) }), {
    server_name: true,
  });
});

test('only HelloRetryRequest brings a cookie unasked, and padding is zeros', () => {
  const cookie = block([extensionCode('cookie'), '000101']);
  const nothing = { offered: new Set<number>() };
  assert.equal(refused(() => read('server_hello', cookie, nothing))[0], 'unsolicited_extension');
  const type = extensionCode('padding');
  assert.deepEqual(read('client_hello', block([type, '000000'])), { padding: 3 });
  assert.equal(refused(() => read('client_hello', block([type, '000100'])))[1], 'decode_error');
});

test('messages that ask take unknown extensions and keep them', () => {
  for (const place of ['client_hello', 'certificate_request', 'new_session_ticket'] as const) {
    assert.deepEqual(read(place, block([0x7a7a, '01']), { offered: new Set() }), {
      unknown: [{ type: 0x7a7a, data: new Uint8Array([1]), position: 0 }],
    });
  }
});

test('pre_shared_key must be last in a ClientHello, and is written last', () => {
  const psks = `000700010100000000002120${'00'.repeat(32)}`;
  const type = extensionCode('pre_shared_key');
  assert.deepEqual(
    refused(() => read('client_hello', block([type, psks], [0x0a0a, '']))),
    ['pre_shared_key_not_last', 'illegal_parameter'],
  );
  const writer = new WireWriter();
  writeExtensions('client_hello', writer, {
    pre_shared_key: {
      identities: [{ identity: bytes(1), obfuscatedTicketAge: 0 }],
      binders: [bytes(32)],
    },
    early_data: true,
  });
  assert.equal(Buffer.from(writer.finish()).readUInt16BE(2), extensionCode('early_data'));
});

test('there is one binder for each identity', () => {
  const binder = `20${'00'.repeat(32)}`;
  const body = `0007000101000000000042${binder}${binder}`;
  assert.deepEqual(
    refused(() => read('client_hello', block([extensionCode('pre_shared_key'), body]))),
    ['binders_mismatch', 'illegal_parameter'],
  );
});

test('the binders of a ClientHello are its last bytes', () => {
  const sample = samplesTls13.find(({ name }) => name === 'ClientHello');
  assert.ok(sample?.message.msgType === 'client_hello');
  const psks = sample.message.extensions.pre_shared_key;
  assert.ok(psks !== undefined);
  const encoded = writeHandshakeTls13(sample.message, sample.context);
  const tail = Buffer.from(encoded).subarray(encoded.length - bindersLength(psks));
  assert.equal(tail.toString('hex'), `002120${Buffer.from(psks.binders[0] ?? []).toString('hex')}`);
});

test('each body ends where it says', () => {
  const tooLong = block([extensionCode('extended_master_secret'), '00']);
  assert.deepEqual(
    refused(() => read('client_hello', tooLong)),
    ['trailing_bytes', 'decode_error'],
  );
  const twoNames = block([extensionCode('server_name'), '0008000001610000' + '0162']);
  assert.equal(refused(() => read('client_hello', twoNames))[1], 'decode_error');
  const twoProtocols = block([16, '0006026832026833']);
  assert.equal(refused(() => read('encrypted_extensions', twoProtocols))[0], 'trailing_bytes');
});

test('offeredExtensions counts unknown ones, and renegotiation_info for its SCSV', () => {
  const hello = Buffer.concat([
    Buffer.from('0303', 'hex'),
    bytes(32),
    Buffer.from('00000400ff13010100', 'hex'),
    block([0x5a5a, ''], [extensionCode('cookie'), '000101']),
  ]);
  const message = readClientHello(new WireReader(hello, 'ClientHello'));
  const expected = [0x5a5a, extensionCode('cookie'), extensionCode('renegotiation_info')];
  assert.deepEqual(offeredExtensions(message), new Set(expected));
});

test('server names, fragment lengths and GREASE', () => {
  assert.equal(hostNameIn(serverNameOf('example.org')), 'example.org');
  assert.equal(hostNameIn([{ nameType: 1, name: bytes(3) }]), undefined);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map(fragmentLengthOf), [
    undefined,
    512,
    1024,
    2048,
    4096,
    undefined,
  ]);
  assert.equal(fragmentLengthOf(fragmentLengthCode(2048)), 2048);
  const grease = Array.from({ length: 65536 }, (_, code) => code).filter(isGrease);
  assert.equal(grease.length, 16);
  assert.deepEqual([grease[0], grease[15]], [0x0a0a, 0xfafa]);
  assert.ok(!extensionNames.some((name) => isGrease(extensionCode(name))));
});

test('binders go over the end of a hello, and cover what stands before them', () => {
  const sample = samplesTls13.find(({ name }) => name === 'ClientHello');
  assert.ok(sample?.message.msgType === 'client_hello');
  const { message, context } = sample;
  const psks = {
    identities: [
      { identity: bytes(5), obfuscatedTicketAge: 1 },
      { identity: bytes(9), obfuscatedTicketAge: 2 },
    ],
    binders: [bytes(32), bytes(48)],
  };
  const withPsks = (binders: readonly Uint8Array[]): Uint8Array =>
    writeHandshakeTls13(
      { ...message, extensions: { ...message.extensions, pre_shared_key: { ...psks, binders } } },
      context,
    );
  const blank = withPsks([new Uint8Array(32), new Uint8Array(48)]);
  const covered = Buffer.from(truncatedClientHello(blank, psks));
  assert.equal(blank.length - covered.length, 2 + 33 + 49);
  const final = withPsks(psks.binders);
  assert.ok(covered.equals(truncatedClientHello(final, psks)));
});

test('a record size limit below 64 is an illegal_parameter', () => {
  const type = extensionCode('record_size_limit');
  assert.deepEqual(
    refused(() => read('client_hello', block([type, '003f']))),
    ['illegal_record_size_limit', 'illegal_parameter'],
  );
  assert.deepEqual(read('encrypted_extensions', block([type, '0040'])), { record_size_limit: 64 });
});
