import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CryptoFault,
  createStreamCipher,
  secretFrom,
  streamCipherNames,
  streamCipherSizes,
} from '../../../../src/ssl/crypto/index.ts';
import { Rc4 } from '../../../../src/ssl/crypto/stream_cipher.ts';
import { hex } from './vectors.ts';

/** RFC 6229 §2: 32 bytes of keystream from each offset. */
const KEY_128 = '0102030405060708090a0b0c0d0e0f10';
const KEYSTREAM_128: Readonly<Record<number, string>> = {
  0: '9ac7cc9a609d1ef7b2932899cde41b97 5248c4959014126a6e8a84f11d1a9e1c',
  240: '065902e4b620f6cc36c8589f66432f2b d39d566bc6bce3010768151549f3873f',
  496: 'b6d1e6c4a5e4771cad79538df295fb11 c68c1d5c559a974123df1dbc52a43b89',
  752: 'c5ecf88de897fd57fed301701b82a259 eccbe13de1fcc91c11a0b26c0bc8fa4d',
  1008: 'e7a72574f8782ae26aabcf9ebcd66065 bdf0324e6083dcc6d3cedd3ca8c53c16',
  1520: 'b40110c4190b5622a96116b0017ed297 ffa0b514647ec04f6306b892ae661181',
  2032: 'd03d1bc03cd33d70dff9fa5d71963ebd 8a44126411eaa78bd51e8d87a8879bf5',
  3056: 'fabeb76028ade2d0e48722e46c4615a3 c05d88abd50357f935a63c59ee537623',
  4080: 'ff38265c1642c1abe8d3c2fe5e572bf8 a36a4c301ae8ac13610ccbc12256cacc',
};

test('RC4 gives the keystream of RFC 6229 for 128 bits', () => {
  const cipher = createStreamCipher('rc4_128', secretFrom(hex(KEY_128)));
  const stream = cipher.apply(Buffer.alloc(4112));
  for (const [offset, bytes] of Object.entries(KEYSTREAM_128)) {
    const at = Number(offset);
    assert.deepEqual(stream.subarray(at, at + 32), hex(bytes), `offset ${offset}`);
  }
});

test('RC4 gives the keystream of RFC 6229 for 40 and 256 bits', () => {
  const starts: readonly (readonly [key: string, start: string])[] = [
    ['0102030405', 'b2396305f03dc027ccc3524a0a1118a8'],
    [`${KEY_128}1112131415161718191a1b1c1d1e1f20`, 'eaa6bd25880bf93d3f5d1e4ca2611d91'],
  ];
  for (const [key, start] of starts) {
    assert.deepEqual(new Rc4('rc4_128', hex(key)).apply(Buffer.alloc(16)), hex(start));
  }
});

test('a stream goes on from piece to piece, and undoes itself', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
      (key, pieces) => {
        const whole = Buffer.concat(pieces);
        const one = createStreamCipher('rc4_128', secretFrom(key)).apply(whole);
        const sender = createStreamCipher('rc4_128', secretFrom(key));
        const parts = Buffer.concat(pieces.map((piece) => sender.apply(piece)));
        assert.deepEqual(parts, one);
        const receiver = createStreamCipher('rc4_128', secretFrom(key));
        // In place
        assert.deepEqual(receiver.apply(parts, parts), whole);
      },
    ),
  );
});

test('wrong sizes are refused', () => {
  const badLength = (error: unknown) =>
    error instanceof CryptoFault && error.reason === 'bad_length';
  for (const name of streamCipherNames) {
    const { keyLength } = streamCipherSizes(name);
    const short = secretFrom(Buffer.alloc(keyLength - 1, 1));
    assert.throws(() => createStreamCipher(name, short), badLength);
    const cipher = createStreamCipher(name, secretFrom(Buffer.alloc(keyLength, 1)));
    assert.throws(() => cipher.apply(Buffer.alloc(4), Buffer.alloc(3)), badLength);
  }
});
