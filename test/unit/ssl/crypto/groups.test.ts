import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import {
  CryptoFault,
  type CryptoReason,
  encapsulate,
  fixedEntropy,
  type GroupName,
  generateKeyShare,
  groupNames,
  publicValueLength,
  recordedEntropy,
  secretBytes,
  systemEntropy,
} from '../../../../src/ssl/crypto/index.ts';
import { namedGroups } from '../../../../src/ssl/tls/iana/groups.ts';
import { hex } from './vectors.ts';

interface Vector {
  source: string;
  group: GroupName;
  private: string;
  public: string;
  peerPrivate: string;
  peerPublic: string;
  shared: string;
}

const VECTORS: readonly Vector[] = [
  {
    source: 'RFC 7748 §6.1',
    group: 'x25519',
    private: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    public: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    peerPrivate: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    peerPublic: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  },
  {
    source: 'RFC 7748 §6.2',
    group: 'x448',
    private: `9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28d
      d9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b`,
    public: `9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c
      22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0`,
    peerPrivate: `1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d
      6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d`,
    peerPublic: `3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b430
      27d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609`,
    shared: `07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282b
      b60c0b56fd2464c335543936521c24403085d59a449a5037514a879d`,
  },
  {
    source: 'RFC 5903 §8.1',
    group: 'secp256r1',
    private: 'c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433',
    public: `04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180
      5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3`,
    peerPrivate: 'c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53',
    peerPublic: `04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63
      56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab`,
    shared: 'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
  },
  {
    source: 'RFC 5903 §8.2',
    group: 'secp384r1',
    private: `099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655
      e35b538041e649ee3faef896783ab194`,
    public: `04667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6
      de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f
      65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c`,
    peerPrivate: `41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942
      e0308312916b8ed2960e4bd55a7448fc`,
    peerPublic: `04e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d
      0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f
      66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c`,
    shared: `11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4
      d603135569b9e9d09cf5d4a270f59746`,
  },
  {
    source: 'RFC 5903 §8.3',
    group: 'secp521r1',
    private: `0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0
      95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52`,
    public: `040015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1
      e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e
      017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10ad8
      a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582`,
    peerPrivate: `0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e
      9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9`,
    peerPublic: `0400d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a219b
      97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f
      015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b87220b
      6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a`,
    shared: `01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04
      d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea`,
  },
  {
    source: 'RFC 8448 §3',
    group: 'x25519',
    private: '49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005',
    public: '99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c',
    peerPrivate: 'b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e',
    peerPublic: 'c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f',
    shared: '8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d',
  },
  {
    source: 'RFC 7027 appendix A.1',
    group: 'brainpoolP256r1',
    private: '81db1ee100150ff2ea338d708271be38300cb54241d79950f77b063039804f1d',
    public: `0444106e913f92bc02a1705d9953a8414db95e1aaa49e81d9e85f929a8e3100be5
      8ab4846f11caccb73ce49cbdd120f5a900a69fd32c272223f789ef10eb089bdc`,
    peerPrivate: '55e40bc41e37e3e2ad25c3c6654511ffa8474a91a0032087593852d3e7d76bd3',
    peerPublic: `048d2d688c6cf93e1160ad04cc4429117dc2c41825e1e9fca0addd34e6f1b39f7b
      990c57520812be512641e47034832106bc7d3e8dd0e4c7f1136d7006547cec6a`,
    shared: '89afc39d41d3b327814b80940b042590f96556ec91e6ae7939bce31f3a18bf2b',
  },
  {
    source: 'RFC 7027 appendix A.2',
    group: 'brainpoolP384r1',
    private: `1e20f5e048a5886f1f157c74e91bde2b98c8b52d58e5003d57053fc4b0bd65d6
      f15eb5d1ee1610df870795143627d042`,
    public: `0468b665dd91c195800650cdd363c625f4e742e8134667b767b1b476793588f885
      ab698c852d4a6e77a252d6380fcaf06855bc91a39c9ec01dee36017b7d673a93
      1236d2f1f5c83942d049e3fa20607493e0d038ff2fd30c2ab67d15c85f7faa59`,
    peerPrivate: `032640bc6003c59260f7250c3db58ce647f98e1260acce4acda3dd869f74e01f
      8ba5e0324309db6a9831497abac96670`,
    peerPublic: `044d44326f269a597a5b58bba565da5556ed7fd9a8a9eb76c25f46db69d19dc8ce
      6ad18e404b15738b2086df37e71d1eb462d692136de56cbe93bf5fa3188ef58b
      c8a3a0ec6c1e151a21038a42e9185329b5b275903d192f8d4e1f32fe9cc78c48`,
    shared: `0bd9d3a7ea0b3d519d09d8e48d0785fb744a6b355e6304bc51c229fbbce239bb
      adf6403715c35d4fb2a5444f575d4f42`,
  },
  {
    source: 'RFC 7027 appendix A.3',
    group: 'brainpoolP512r1',
    private: `16302ff0dbbb5a8d733dab7141c1b45acbc8715939677f6a56850a38bd87bd59
      b09e80279609ff333eb9d4c061231fb26f92eeb04982a5f1d1764cad57665422`,
    public: `040a420517e406aac0acdce90fcd71487718d3b953efd7fbec5f7f27e28c614999
      9397e91e029e06457db2d3e640668b392c2a7e737a7f0bf04436d11640fd09fd
      72e6882e8db28aad36237cd25d580db23783961c8dc52dfa2ec138ad472a0fce
      f3887cf62b623b2a87de5c588301ea3e5fc269b373b60724f5e82a6ad147fde7`,
    peerPrivate: `230e18e1bcc88a362fa54e4ea3902009292f7f8033624fd471b5d8ace49d12cf
      abbc19963dab8e2f1eba00bffb29e4d72d13f2224562f405cb80503666b25429`,
    peerPublic: `049d45f66de5d67e2e6db6e93a59ce0bb48106097ff78a081de781cdb31fce8ccb
      aaea8dd4320c4119f1e9cd437a2eab3731fa9668ab268d871deda55a5473199f
      2fdc313095bcdd5fb3a91636f07a959c8e86b5636a1e930e8396049cb481961d
      365cc11453a06c719835475b12cb52fc3c383bce35e27ef194512b71876285fa`,
    shared: `a7927098655f1f9976fa50a9d566865dc530331846381c87256baf3226244b76
      d36403c024d7bbf0aa0803eaff405d3d24f11a9b5c0bef679fe1454b21c4cd1f`,
  },
];

for (const vector of VECTORS) {
  test(`${vector.group}: ${vector.source}`, () => {
    const own = generateKeyShare(vector.group, fixedEntropy(hex(vector.private)));
    const peer = generateKeyShare(
      vector.group,
      recordedEntropy({ [vector.group]: [hex(vector.peerPrivate)] }),
    );
    assert.equal(own.group, vector.group);
    assert.deepEqual(own.publicKey, hex(vector.public));
    assert.deepEqual(peer.publicKey, hex(vector.peerPublic));
    assert.deepEqual(secretBytes(own.agree(hex(vector.peerPublic))), hex(vector.shared));
    assert.deepEqual(secretBytes(peer.agree(own.publicKey)), hex(vector.shared));
  });
}

test('every group agrees with fresh keys, also in one step', () => {
  for (const group of groupNames) {
    const client = generateKeyShare(group, systemEntropy);
    assert.equal(client.publicKey.length, publicValueLength(group));
    const server = encapsulate(group, client.publicKey, systemEntropy);
    assert.deepEqual(
      secretBytes(client.agree(server.publicKey)),
      secretBytes(server.secret),
      group,
    );
    assert.notDeepEqual(generateKeyShare(group, systemEntropy).publicKey, client.publicKey);
  }
});

const refuses = (reason: CryptoReason) => (error: unknown) =>
  error instanceof CryptoFault && error.reason === reason;

test('every group of the registry has a row', () => {
  assert.deepEqual([...groupNames].sort(), [...namedGroups].sort());
});

test('the curves of TLS 1.3 are those of RFC 7027 under other names', () => {
  for (const curve of ['brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'] as const) {
    const old = generateKeyShare(curve, systemEntropy);
    const { publicKey, secret } = encapsulate(`${curve}tls13`, old.publicKey, systemEntropy);
    assert.deepEqual(secretBytes(old.agree(publicKey)), secretBytes(secret));
  }
});

test('a public value of another length is refused', () => {
  for (const group of groupNames) {
    const share = generateKeyShare(group, systemEntropy);
    for (const change of [-1, 1]) {
      // What a KEM's client gets back has another length than what it sends
      const value = Buffer.alloc(publicValueLength(group) + change, 4);
      assert.throws(() => share.agree(value), refuses('bad_public_value'), group);
    }
    assert.throws(() => share.agree(Buffer.alloc(0)), refuses('bad_public_value'), group);
  }
});

test('points of small order are refused on Montgomery curves', () => {
  // RFC 7748 §6: the values 0 and 1, and for Curve25519 a point of order 8, give zero
  const small: readonly (readonly [GroupName, Buffer])[] = [
    ['x25519', Buffer.alloc(32)],
    ['x25519', hex(`01${'00'.repeat(31)}`)],
    ['x25519', hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800')],
    ['x25519', hex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157')],
    ['x25519', hex(`ec${'ff'.repeat(30)}7f`)],
    ['x448', Buffer.alloc(56)],
    ['x448', hex(`01${'00'.repeat(55)}`)],
  ];
  for (const [group, value] of small) {
    const share = generateKeyShare(group, systemEntropy);
    assert.throws(() => share.agree(value), refuses('zero_shared_secret'), group);
  }
});

const CURVES = groupNames.filter((group) => /^(secp\d+[kr]\d$|sect|brainpool)/.test(group));

test('points off the curve, at infinity or compressed are refused', () => {
  for (const group of CURVES) {
    const share = generateKeyShare(group, systemEntropy);
    const peer = generateKeyShare(group, systemEntropy).publicKey;
    const offCurve = Buffer.from(peer);
    offCurve[peer.length - 1] = (offCurve[peer.length - 1] ?? 0) ^ 1;
    assert.throws(() => share.agree(offCurve), refuses('point_not_on_curve'), group);
    const origin = Buffer.alloc(peer.length);
    origin[0] = 4;
    assert.throws(() => share.agree(origin), refuses('point_not_on_curve'), group);
    // Coordinates that are not below the prime
    const tooLarge = Buffer.alloc(peer.length, 0xff);
    tooLarge[0] = 4;
    assert.throws(() => share.agree(tooLarge), refuses('point_not_on_curve'), group);
    // SEC 1 §2.3.3: 00 is infinity, 02 and 03 are compressed, 06 and 07 are hybrid
    for (const form of [0, 2, 3, 6, 7]) {
      const other = Buffer.from(peer);
      other[0] = form;
      assert.throws(() => share.agree(other), refuses('bad_public_value'), group);
    }
    assert.throws(() => share.agree(Buffer.from([0])), refuses('bad_public_value'), group);
  }
});

test('a recorded private key out of range is refused', () => {
  for (const scalar of [Buffer.alloc(32), Buffer.alloc(32, 0xff)]) {
    assert.throws(() => generateKeyShare('secp256r1', fixedEntropy(scalar)), refuses('bad_key'));
  }
});

test('points of small order are refused on binary curves', () => {
  // Wycheproof, ecdh_sect283k1_test.json: test 1, and the points of tests 21 to 25
  const scalar = hex('013826bf5645617bfbbb162685d0f52f70fcd35e660cb19e70de811999ef28c97a9d4934');
  const point = hex(`0401eef8bea17e53e591beac95c110187f6d7c27a40d202ac73064b4ca054aa1f51608ddd5
    042e4525c94f62a1ddae8097c365fc8c9fbeca85feea1c2713f015bd5f584a89b9e13720`);
  const shared = hex('05ca68e2b421013f6083d598df151560a45d4ec2ea3fc69ed5383653ea2397a5a627f586');
  const share = generateKeyShare('sect283k1', fixedEntropy(scalar));
  assert.deepEqual(secretBytes(share.agree(point)), shared);
  const zero = '00'.repeat(36);
  const one = `${'00'.repeat(35)}01`;
  for (const low of [`04${zero}${one}`, `04${one}${one}`, `04${one}${zero}`]) {
    assert.throws(() => share.agree(hex(low)), refuses('zero_shared_secret'));
  }
});

test('key pairs are made while garbage is collected (Node.js could lock itself up)', () => {
  const crypto = import.meta.resolve('../../../../src/ssl/crypto/index.js');
  const program = `
    import { generateKeyShare, systemEntropy } from ${JSON.stringify(crypto)};
    for (let count = 0; count < 30_000; count++) generateKeyShare('x25519', systemEntropy);
    process.stdout.write('made');`;
  const { stdout, signal } = spawnSync(
    process.execPath,
    ['--max-semi-space-size=1', '--input-type=module', '-e', program],
    { encoding: 'utf8', timeout: 200_000, killSignal: 'SIGKILL' },
  );
  assert.equal(signal, null, 'it hung');
  assert.equal(stdout, 'made');
});
