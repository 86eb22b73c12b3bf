/** Decoding of certificates. RFC 5280 §4. */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  type Certificate,
  fingerprint,
  keyUsageAllows,
  maxCertificateSize,
  maxExtensions,
  parseCertificate,
} from '../../../../src/ssl/x509/certificate.ts';
import {
  contextConstructedTag,
  contextTag,
  DerError,
  openDer,
  tags,
} from '../../../../src/ssl/x509/der.ts';
import {
  writeBitString,
  writeBoolean,
  writeElement,
  writeInteger,
  writeNull,
  writeOctetString,
  writeOid,
  writeSequence,
  writeTime,
} from '../../../../src/ssl/x509/der_writer.ts';
import { extensionIds, hashIds, signatureIds } from '../../../../src/ssl/x509/oid.ts';
import {
  type CertificateOptions,
  issue,
  keyUsageValue,
  makeCa,
  makeSelfSigned,
  pssAlgorithm,
  type RawExtension,
} from '../../../support/certificates.ts';

const root = makeCa({ subject: 'Root', key: 'rsa' });

function refuses(options: CertificateOptions, message: RegExp): void {
  const { der } = makeSelfSigned(options);
  assert.throws(
    () => parseCertificate(der),
    (error) => error instanceof DerError && message.test(error.message),
  );
}

/** The fields of a TBSCertificate, for tests that leave one out or put one in. */
function tbsParts(): Uint8Array[] {
  const tbs = openDer(root.certificate.tbs).expectSequence('tbs');
  const parts: Uint8Array[] = [];
  while (!tbs.done) parts.push(tbs.readElement().der);
  return parts;
}

function assemble(parts: readonly Uint8Array[]): Uint8Array {
  const algorithm = root.certificate.signatureAlgorithm.der;
  return writeSequence(writeSequence(...parts), algorithm, writeBitString(new Uint8Array(256)));
}

describe('fields', () => {
  const issued = issue(root, {
    subject: [
      ['2.5.4.6', 'SE'],
      ['2.5.4.10', 'Example'],
      ['2.5.4.3', 'server'],
    ],
    serial: 4711,
    notBefore: Date.UTC(2020, 1, 2, 3, 4, 5),
    notAfter: Date.UTC(2050, 1, 2, 3, 4, 5),
    dns: ['a.test', '*.b.test'],
    ip: ['192.0.2.1', '2001:db8::1'],
    extKeyUsage: ['serverAuth', 'clientAuth'],
    basicConstraints: { cA: false },
  });
  const { certificate } = issued;

  test('are what was written', () => {
    assert.equal(certificate.version, 3);
    assert.deepEqual([...certificate.serialNumber], [0x12, 0x67]);
    assert.equal(certificate.subjectText, 'CN=server,O=Example,C=SE');
    assert.equal(certificate.issuer.key, root.certificate.subject.key);
    assert.equal(certificate.selfIssued, false);
    assert.equal(root.certificate.selfIssued, true);
    assert.equal(certificate.notBefore, Date.UTC(2020, 1, 2, 3, 4, 5));
    assert.equal(certificate.notAfter, Date.UTC(2050, 1, 2, 3, 4, 5));
    assert.deepEqual(certificate.signatureParameters, { kind: 'rsa_pkcs1', hash: 'sha256' });
    assert.deepEqual(certificate.basicConstraints, { cA: false });
    assert.deepEqual([...(certificate.keyUsage ?? [])], ['digitalSignature']);
    assert.equal(certificate.extKeyUsage?.length, 2);
    assert.deepEqual(
      certificate.subjectAltName?.map(({ kind }) => kind),
      ['dNSName', 'dNSName', 'iPAddress', 'iPAddress'],
    );
    assert.deepEqual(
      certificate.authorityKeyIdentifier?.keyIdentifier,
      root.certificate.subjectKeyIdentifier,
    );
    assert.equal(certificate.publicKey.type, 'ec');
    assert.equal(certificate.publicKey, certificate.publicKey, 'imported once');
    assert.deepEqual(root.certificate.basicConstraints, { cA: true });
  });

  test('agree with OpenSSL', () => {
    const other = new X509Certificate(issued.pem);
    assert.equal(fingerprint(certificate), other.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.equal(new Date(certificate.notAfter).getTime(), new Date(other.validTo).getTime());
    assert.equal(
      BigInt(`0x${Buffer.from(certificate.serialNumber).toString('hex')}`),
      BigInt(`0x${other.serialNumber}`),
    );
    assert.ok(other.verify(root.key.publicKey));
  });

  test('extensions are listed in their order, also the unknown ones', () => {
    const extra: RawExtension = { id: '1.2.3.4', critical: true, value: writeNull() };
    const { extensions } = makeSelfSigned({ extensions: [extra] }).certificate;
    assert.deepEqual(
      extensions.map(({ id, critical }) => [id, critical]),
      [
        [extensionIds.subjectKeyIdentifier, false],
        [extensionIds.authorityKeyIdentifier, false],
        ['1.2.3.4', true],
      ],
    );
    assert.deepEqual([...(extensions[2]?.value ?? [])], [5, 0]);
  });

  test('key usage that is absent allows everything', () => {
    assert.ok(keyUsageAllows(makeSelfSigned().certificate, 'digitalSignature'));
    const authority = makeCa().certificate;
    assert.ok(keyUsageAllows(authority, 'keyCertSign'));
    assert.ok(!keyUsageAllows(authority, 'digitalSignature'));
  });

  test('versions 1 and 2', () => {
    assert.equal(makeSelfSigned({ version: 1 }).certificate.version, 1);
    assert.equal(makeSelfSigned({ version: 2 }).certificate.version, 2);
  });

  test('a negative serial number is taken, as RFC 5280 §4.1.2.2 asks', () => {
    assert.deepEqual([...makeSelfSigned({ serial: -1 }).certificate.serialNumber], [0xff]);
  });
});

describe('what is not a certificate', () => {
  const short = (certificate: Certificate) => certificate.der.subarray(0, -1);

  test('cut short, with bytes after it, too large', () => {
    assert.throws(() => parseCertificate(short(root.certificate)), DerError);
    assert.throws(() => parseCertificate(Buffer.concat([root.der, Buffer.of(0)])), DerError);
    assert.throws(() => parseCertificate(new Uint8Array()), DerError);
    const large = writeSequence(new Uint8Array(maxCertificateSize));
    assert.throws(() => parseCertificate(large), /more than 131072 bytes/);
  });

  test('two signature algorithms', () => {
    const outerAlgorithm = writeSequence(writeOid(signatureIds.ecdsaWithSha384));
    refuses({ outerAlgorithm }, /two different signature algorithms/);
  });

  test('fields missing or in excess', () => {
    const parts = tbsParts();
    assert.doesNotThrow(() => parseCertificate(assemble(parts)));
    for (let i = 1; i < parts.length - 1; i++) {
      const without = parts.filter((_, n) => n !== i);
      assert.throws(() => parseCertificate(assemble(without)), DerError, `without field ${i}`);
      const twice = parts.flatMap((part, n) => (n === i ? [part, part] : [part]));
      assert.throws(() => parseCertificate(assemble(twice)), DerError, `field ${i} twice`);
    }
    assert.throws(() => parseCertificate(assemble([...parts, writeNull()])), /unexpected bytes/);
  });

  test('extensions and unique identifiers in the wrong version', () => {
    const parts = tbsParts();
    const version = (number: number) =>
      writeElement(contextConstructedTag(0), writeInteger(number));
    const uniqueId = writeElement(contextTag(1), Uint8Array.of(0, 0xff));
    assert.throws(() => parseCertificate(assemble(parts.slice(1))), /extensions in version 1/);
    assert.throws(
      () => parseCertificate(assemble([version(1), ...parts.slice(1)])),
      /extensions in version 2/,
    );
    assert.throws(
      () => parseCertificate(assemble([version(3), ...parts.slice(1)])),
      /unknown version/,
    );
    const tail = parts[parts.length - 1] as Uint8Array;
    assert.throws(
      () => parseCertificate(assemble([...parts.slice(1, -1), uniqueId])),
      /unique identifier/,
    );
    const third = parseCertificate(assemble([...parts.slice(0, -1), uniqueId, tail]));
    assert.equal(third.version, 3);
    assert.equal(parseCertificate(assemble([version(0), ...parts.slice(1, -1)])).version, 1);
  });

  test('an extension twice, and too many', () => {
    const extra = { id: '1.2.3.4', value: writeNull() };
    refuses({ extensions: [extra, extra] }, /appears twice/);
    const many = Array.from({ length: maxExtensions - 1 }, (_, i) => ({
      ...extra,
      id: `1.2.3.${i}`,
    }));
    refuses({ extensions: many }, /too many extensions/);
    assert.doesNotThrow(() => makeSelfSigned({ extensions: many.slice(2) }).certificate);
  });

  const values: readonly [string, string, Uint8Array, RegExp][] = [
    ['basicConstraints', extensionIds.basicConstraints, writeNull(), /BasicConstraints/],
    [
      'a negative path length',
      extensionIds.basicConstraints,
      writeSequence(writeBoolean(true), writeInteger(-1)),
      /negative/,
    ],
    [
      'bytes after basicConstraints',
      extensionIds.basicConstraints,
      Buffer.concat([writeSequence(), writeNull()]),
      /unexpected bytes/,
    ],
    ['keyUsage', extensionIds.keyUsage, writeOctetString(Uint8Array.of(1)), /KeyUsage/],
    ['an empty extKeyUsage', extensionIds.extKeyUsage, writeSequence(), /without purposes/],
    ['an empty subjectAltName', extensionIds.subjectAltName, writeSequence(), /without names/],
    [
      'an unknown general name',
      extensionIds.subjectAltName,
      writeSequence(writeElement(contextTag(9), Uint8Array.of(1))),
      /unknown form/,
    ],
    [
      'a subtree with a minimum',
      extensionIds.nameConstraints,
      writeSequence(
        writeElement(
          contextConstructedTag(0),
          writeSequence(
            writeElement(contextTag(2), Buffer.from('a.test')),
            writeElement(contextTag(0), Uint8Array.of(1)),
          ),
        ),
      ),
      /minimum/,
    ],
  ];
  for (const [what, id, value, message] of values) {
    test(`malformed: ${what}`, () => {
      const options = { keyIdentifiers: false, extensions: [{ id, value }] };
      refuses({ ...options }, message);
    });
  }

  test('offsets in an extension are those of the certificate', () => {
    const value = Buffer.from('30030101ff00', 'hex').subarray(0, 5);
    const { der } = makeSelfSigned({
      keyIdentifiers: false,
      extensions: [
        { id: extensionIds.basicConstraints, value: Buffer.concat([value, Buffer.of(7)]) },
      ],
    });
    assert.throws(
      () => parseCertificate(der),
      (error) => error instanceof DerError && der[error.offset] === 7,
    );
  });
});

describe('extension values', () => {
  test('otherName, e-mail, URI, directory and registered names', () => {
    const other = writeElement(
      contextConstructedTag(0),
      writeOid('1.2.3'),
      writeElement(contextConstructedTag(0), writeElement(tags.utf8String, Buffer.from('x'))),
    );
    const { subjectAltName } = makeSelfSigned({
      altNames: [
        { raw: other },
        { email: 'a@b.test' },
        { uri: 'https://a.test/' },
        { directory: 'someone' },
        { raw: writeElement(contextTag(8), Uint8Array.of(0x2a, 3)) },
        { raw: writeElement(contextConstructedTag(5), writeNull()) },
        { raw: writeElement(contextConstructedTag(3), writeNull()) },
      ],
    }).certificate;
    assert.deepEqual(
      subjectAltName?.map((name) =>
        'text' in name ? name.text : 'id' in name ? name.id : name.kind,
      ),
      [
        'otherName',
        'a@b.test',
        'https://a.test/',
        'directoryName',
        '1.2.3',
        'ediPartyName',
        'x400Address',
      ],
    );
  });

  test('all nine key usages', () => {
    const value = keyUsageValue(['digitalSignature', 'keyCertSign', 'decipherOnly']);
    const { keyUsage } = makeSelfSigned({
      extensions: [{ id: extensionIds.keyUsage, value }],
    }).certificate;
    assert.deepEqual([...(keyUsage ?? [])], ['digitalSignature', 'keyCertSign', 'decipherOnly']);
  });

  test('an authority key identifier with issuer and serial number', () => {
    const value = writeSequence(
      writeElement(contextConstructedTag(1), writeElement(contextTag(2), Buffer.from('a.test'))),
      writeElement(contextTag(2), Uint8Array.of(0, 0x80)),
    );
    const id = extensionIds.authorityKeyIdentifier;
    const { authorityKeyIdentifier } = makeSelfSigned({
      keyIdentifiers: false,
      extensions: [{ id, value }],
    }).certificate;
    assert.equal(authorityKeyIdentifier?.keyIdentifier, undefined);
    assert.equal(authorityKeyIdentifier?.authorityCertIssuer?.length, 1);
    assert.deepEqual([...(authorityKeyIdentifier?.authorityCertSerialNumber ?? [])], [0, 0x80]);
  });
});

describe('signature algorithms', () => {
  const parameters = (algorithm: Uint8Array) =>
    makeSelfSigned({ innerAlgorithm: algorithm }).certificate.signatureParameters;

  test('RFC 4055 §3.1: RSASSA-PSS with defaults and with everything', () => {
    assert.deepEqual(parameters(pssAlgorithm('sha1', 20)), {
      kind: 'rsa_pss',
      hash: 'sha',
      mgfHash: 'sha',
      saltLength: 20,
    });
    assert.deepEqual(parameters(pssAlgorithm('sha384', 48)), {
      kind: 'rsa_pss',
      hash: 'sha384',
      mgfHash: 'sha384',
      saltLength: 48,
    });
    assert.deepEqual(parameters(pssAlgorithm('sha256', 0, 'sha512')), {
      kind: 'rsa_pss',
      hash: 'sha256',
      mgfHash: 'sha512',
      saltLength: 0,
    });
  });

  test('RSASSA-PSS without parameters, with another trailer, mask or hash', () => {
    const pss = (...fields: Uint8Array[]) =>
      writeSequence(writeOid(signatureIds.rsassaPss), writeSequence(...fields));
    const field = (number: number, value: Uint8Array) =>
      writeElement(contextConstructedTag(number), value);
    assert.equal(parameters(writeSequence(writeOid(signatureIds.rsassaPss))), undefined);
    assert.equal(parameters(pss(field(3, writeInteger(2)))), undefined);
    assert.notEqual(parameters(pss(field(3, writeInteger(1)))), undefined);
    assert.equal(parameters(pss(field(0, writeSequence(writeOid('1.2.3'))))), undefined);
    assert.equal(parameters(pss(field(1, writeSequence(writeOid('1.2.3'))))), undefined);
    assert.equal(parameters(pss(field(2, writeInteger(100_000)))), undefined);
    const sha256 = writeSequence(writeOid(hashIds.sha256));
    assert.notEqual(parameters(pss(field(0, sha256))), undefined);
    assert.throws(() => parameters(pss(writeNull())), DerError);
    assert.throws(() => parameters(pss(field(2, writeInteger(-1)))), DerError);
  });

  test('parameters where none belong', () => {
    const odd = (id: string, value: Uint8Array) => parameters(writeSequence(writeOid(id), value));
    assert.equal(odd(signatureIds.sha256WithRSAEncryption, writeInteger(1)), undefined);
    assert.notEqual(odd(signatureIds.sha256WithRSAEncryption, writeNull()), undefined);
    assert.equal(odd(signatureIds.ed25519, writeNull()), undefined);
    assert.equal(parameters(writeSequence(writeOid('1.2.3.4'))), undefined);
  });
});

test('writeTime and the validity of a certificate agree across the turn of 2050', () => {
  const notAfter = Date.UTC(2049, 11, 31, 23, 59, 59);
  assert.equal(makeSelfSigned({ notAfter }).certificate.notAfter, notAfter);
  assert.equal(makeSelfSigned({ notAfter: notAfter + 1000 }).certificate.notAfter, notAfter + 1000);
  assert.equal(writeTime(notAfter)[0], tags.utcTime);
});
