import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CryptoFault,
  deriveSecret,
  type HashName,
  hash,
  hkdfExpand,
  hkdfExpandLabel,
  hkdfExtract,
  hmac,
  secretBytes,
  secretFrom,
} from '../../../../src/ssl/crypto/index.ts';
import { hex } from './vectors.ts';

interface Rfc5869Case {
  name: string;
  hash: HashName;
  ikm: string;
  salt: string;
  info: string;
  prk: string;
  okm: string;
}

const count = (from: number, to: number) =>
  Buffer.from(Array.from({ length: to - from + 1 }, (_, i) => from + i)).toString('hex');

const RFC5869: readonly Rfc5869Case[] = [
  {
    name: 'A.1',
    hash: 'sha256',
    ikm: '0b'.repeat(22),
    salt: count(0, 12),
    info: count(0xf0, 0xf9),
    prk: '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    name: 'A.2',
    hash: 'sha256',
    ikm: count(0, 0x4f),
    salt: count(0x60, 0xaf),
    info: count(0xb0, 0xff),
    prk: '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
    okm: `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
      59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
      cc30c58179ec3e87c14c01d5c1f3434f1d87`,
  },
  {
    name: 'A.3',
    hash: 'sha256',
    ikm: '0b'.repeat(22),
    salt: '',
    info: '',
    prk: '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
    okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
  {
    name: 'A.4',
    hash: 'sha',
    ikm: '0b'.repeat(11),
    salt: count(0, 12),
    info: count(0xf0, 0xf9),
    prk: '9b6c18c432a7bf8f0e71c8eb88f4b30baa2ba243',
    okm: '085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896',
  },
  {
    name: 'A.6',
    hash: 'sha',
    ikm: '0b'.repeat(22),
    salt: '',
    info: '',
    prk: 'da8c8a73c7fa77288ec6f5e7c297786aa0d32d01',
    okm: '0ac1af7002b3d761d1e55298da9d0506b9ae52057220a306e07b6b87e8df21d0ea00033de03984d34918',
  },
];

for (const { name, hash: hashName, ikm, salt, info, prk, okm } of RFC5869) {
  test(`HKDF: RFC 5869 appendix ${name}`, () => {
    const extracted = hkdfExtract(hashName, hex(salt), hex(ikm));
    assert.deepEqual(secretBytes(extracted), hex(prk));
    assert.deepEqual(
      secretBytes(hkdfExtract(hashName, secretFrom(hex(salt)), secretFrom(hex(ikm)))),
      hex(prk),
    );
    const expected = hex(okm);
    for (let length = 0; length <= expected.length; length++) {
      assert.deepEqual(
        hkdfExpand(hashName, extracted, hex(info), length),
        expected.subarray(0, length),
      );
    }
  });
}

test('HKDF-Expand stops at 255 blocks', () => {
  const prk = secretFrom(Buffer.alloc(32, 1));
  assert.equal(hkdfExpand('sha256', prk, Buffer.alloc(0), 255 * 32).length, 255 * 32);
  for (const length of [255 * 32 + 1, -1, 1.5]) {
    assert.throws(
      () => hkdfExpand('sha256', prk, Buffer.alloc(0), length),
      (fault) => fault instanceof CryptoFault && fault.reason === 'bad_length',
    );
  }
});

test('HkdfLabel refuses fields that do not fit', () => {
  const secret = secretFrom(Buffer.alloc(32, 1));
  assert.throws(
    () => hkdfExpandLabel('sha256', secret, 'x'.repeat(250), Buffer.alloc(0), 16),
    CryptoFault,
  );
  assert.throws(() => hkdfExpandLabel('sha256', secret, 'x', Buffer.alloc(256), 16), CryptoFault);
  assert.equal(
    hkdfExpandLabel('sha256', secret, 'x'.repeat(249), Buffer.alloc(255), 16).length,
    16,
  );
});

test('the key schedule of RFC 8448 §3, simple 1-RTT handshake', () => {
  const h: HashName = 'sha256';
  const empty = hash(h);
  const none = Buffer.alloc(0);
  const hellos = hex('860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8');
  const upToFinished = hex('9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13');
  const shared = hex('8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d');
  const expectSecret = (secret: Parameters<typeof secretBytes>[0], expected: string) =>
    assert.equal(secretBytes(secret).toString('hex'), expected);

  const early = hkdfExtract(h, none, Buffer.alloc(32));
  expectSecret(early, '33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a');
  const derived = deriveSecret(h, early, 'derived', empty);
  expectSecret(derived, '6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba');

  const handshake = hkdfExtract(h, derived, secretFrom(shared));
  expectSecret(handshake, '1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac');
  const client = deriveSecret(h, handshake, 'c hs traffic', hellos);
  expectSecret(client, 'b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21');
  const server = deriveSecret(h, handshake, 's hs traffic', hellos);
  expectSecret(server, 'b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38');
  const expand = (label: string, length: number) =>
    hkdfExpandLabel(h, server, label, none, length).toString('hex');
  assert.equal(expand('key', 16), '3fce516009c21727d0f2e4e86ee403bc');
  assert.equal(expand('iv', 12), '5d313eb2671276ee13000b30');
  assert.equal(
    expand('finished', 32),
    '008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8',
  );

  const main = hkdfExtract(h, deriveSecret(h, handshake, 'derived', empty), Buffer.alloc(32));
  expectSecret(main, '18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919');
  for (const [label, expected] of [
    ['c ap traffic', '9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5'],
    ['s ap traffic', 'a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643'],
    ['exp master', 'fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50'],
  ] as const) {
    expectSecret(deriveSecret(h, main, label, upToFinished), expected);
  }
});

test('the early secrets of RFC 8448 §4, resumed 0-RTT handshake', () => {
  const psk = hex('4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3');
  const early = hkdfExtract('sha256', Buffer.alloc(0), secretFrom(psk));
  assert.deepEqual(
    secretBytes(early),
    hex('9b2188e9b2fc6d64d71dc329900e20bb41915000f678aa839cbb797cb7d8332c'),
  );
  const binder = deriveSecret('sha256', early, 'res binder', hash('sha256'));
  assert.deepEqual(
    secretBytes(binder),
    hex('69fe131a3bbad5d63c64eebcc30e395b9d8107726a13d074e389dbc8a4e47256'),
  );
  const finished = hkdfExpandLabel('sha256', binder, 'finished', Buffer.alloc(0), 32);
  assert.deepEqual(
    hmac(
      'sha256',
      finished,
      hex('63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14'),
    ),
    hex('3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d'),
  );
});
