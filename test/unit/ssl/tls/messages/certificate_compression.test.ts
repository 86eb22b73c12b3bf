import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, constants, deflateSync, inflateSync } from 'node:zlib';
import { alertFor, TlsFault } from '../../../../../src/ssl/tls/faults.ts';
import {
  certificateCompressionFromCode,
  certificateCompressions,
  compressCertificateBody,
  expandCertificateBody,
} from '../../../../../src/ssl/tls/messages/certificate_compression.ts';
import type { CompressedCertificate } from '../../../../../src/ssl/tls/messages/compressed_certificate.ts';

const LIMIT = 262144;
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } };
const body = Buffer.from('certificate '.repeat(200));

function refused(
  message: CompressedCertificate,
  offered = certificateCompressions,
): readonly [string, string] {
  try {
    expandCertificateBody(message, offered, LIMIT);
  } catch (error) {
    assert.ok(error instanceof TlsFault, String(error));
    return [error.reason, alertFor(error)];
  }
  assert.fail('not refused');
}

const BAD = ['bad_compressed_certificate', 'bad_certificate'];

for (const algorithm of certificateCompressions) {
  test(`${algorithm}: what is compressed becomes smaller and comes back`, () => {
    const message = compressCertificateBody(algorithm, body);
    assert.equal(certificateCompressionFromCode(message.algorithm), algorithm);
    assert.equal(message.uncompressedLength, body.length);
    assert.ok(message.compressedCertificateMessage.length < 200);
    const expanded = expandCertificateBody(message, certificateCompressions, LIMIT);
    assert.ok(body.equals(expanded));
  });

  test(`${algorithm}: another length than it says is bad_certificate`, () => {
    const message = compressCertificateBody(algorithm, body);
    for (const uncompressedLength of [1, body.length - 1, body.length + 1, 0, LIMIT + 1]) {
      assert.deepEqual(refused({ ...message, uncompressedLength }), BAD, `${uncompressedLength}`);
    }
  });

  test(`${algorithm}: bytes that do not expand are bad_certificate`, () => {
    const message = compressCertificateBody(algorithm, body);
    const { compressedCertificateMessage: whole } = message;
    for (const compressedCertificateMessage of [
      whole.subarray(0, whole.length - 1),
      Buffer.alloc(40, 0xff),
      Buffer.alloc(1),
    ]) {
      assert.deepEqual(refused({ ...message, compressedCertificateMessage }), BAD);
    }
  });

  test(`${algorithm}: a bomb is given up at the length that it says`, () => {
    const zeros = Buffer.alloc(20_000_000);
    const compressed = algorithm === 'zlib' ? deflateSync(zeros) : brotliCompressSync(zeros, FAST);
    const message = {
      msgType: 'compressed_certificate',
      algorithm: algorithm === 'zlib' ? 1 : 2,
      uncompressedLength: 1000,
      compressedCertificateMessage: compressed,
    } as const;
    const before = process.memoryUsage().arrayBuffers;
    assert.deepEqual(refused(message), BAD);
    assert.ok(process.memoryUsage().arrayBuffers - before < 5_000_000);
  });

  test(`${algorithm}: refused as illegal_parameter where it was not offered`, () => {
    const others = certificateCompressions.filter((name) => name !== algorithm);
    const message = compressCertificateBody(algorithm, body);
    assert.deepEqual(refused(message, others), ['illegal_parameter', 'illegal_parameter']);
  });
}

test('zlib is the format of RFC 1950, with its header', () => {
  const { compressedCertificateMessage } = compressCertificateBody('zlib', body);
  assert.equal((compressedCertificateMessage[0] ?? 0) & 0x0f, 8);
  assert.ok(body.equals(inflateSync(compressedCertificateMessage)));
});

test('zstd, which is not at hand, is no algorithm here', () => {
  assert.equal(certificateCompressionFromCode(3), undefined);
  const message = { ...compressCertificateBody('zlib', body), algorithm: 3 };
  assert.deepEqual(refused(message), ['illegal_parameter', 'illegal_parameter']);
});
