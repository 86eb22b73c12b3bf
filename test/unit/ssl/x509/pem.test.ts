/** PEM files, tidy and untidy. RFC 7468, RFC 1421 §4.6. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PemError, readPem, writePem } from '../../../../src/ssl/x509/pem.ts';

const block = (label: string, body: string) =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const contents = (pem: string | Uint8Array) =>
  readPem(pem).map(({ label, der }) => `${label}:${Buffer.from(der).toString('latin1')}`);

describe('what is read', () => {
  test('blocks in their order, with any text around them', () => {
    const file = `Bag Attributes\n  friendlyName: x\n${block('A', 'YQ==')}between\n\n${block('B C', 'Yg==')}after`;
    assert.deepEqual(contents(file), ['A:a', 'B C:b']);
    assert.deepEqual(
      readPem(file).map(({ line }) => line),
      [3, 8],
    );
  });

  test('any line ends, trailing white space, any line length, a byte order mark', () => {
    const lines = ['-----BEGIN A-----', 'YWJj', '', 'ZGVm  ', '-----END A-----'];
    for (const end of ['\n', '\r\n', '\r']) {
      assert.deepEqual(contents(lines.join(end)), ['A:abcdef']);
      assert.deepEqual(contents(Buffer.from(`\ufeff${lines.join(end)}`, 'utf8')), ['A:abcdef']);
    }
    assert.deepEqual(contents(lines.map((line) => `  ${line}`).join('\n')), ['A:abcdef']);
    assert.deepEqual(contents(block('A', 'YWJj'.repeat(1000))), [`A:${'abc'.repeat(1000)}`]);
  });

  test('nothing from a file without blocks', () => {
    assert.deepEqual(readPem(''), []);
    assert.deepEqual(readPem('no PEM here\n-- BEGIN A --\n'), []);
    assert.deepEqual(readPem(Buffer.from('30820122', 'hex')), []);
  });

  test('headers, one continued on a second line', () => {
    const body = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\n 0123\n\nYQ==';
    const [entry] = readPem(block('RSA PRIVATE KEY', body));
    assert.deepEqual(
      [...(entry?.headers ?? [])],
      [
        ['proc-type', '4,ENCRYPTED'],
        ['dek-info', 'AES-256-CBC,0123'],
      ],
    );
    assert.equal(entry?.der.length, 1);
  });
});

describe('what is refused, with the line', () => {
  const rows: readonly [string, string, RegExp, number][] = [
    ['no end', '\n-----BEGIN A-----\nYQ==\n', /no END for the "A"/, 2],
    ['another end', '-----BEGIN A-----\nYQ==\n-----END B-----\n', /END of another block/, 3],
    ['a begin within', '-----BEGIN A-----\nYQ==\n-----BEGIN B-----\n', /BEGIN before the END/, 3],
    ['no base64', block('A', 'YQ=?'), /not base64/, 2],
    ['base64 cut short', block('A', 'YQ='), /not base64/, 2],
    ['padding within', block('A', 'YQ==YQ=='), /not base64/, 2],
    ['a broken header', block('A', 'X: y\nnonsense\n\nYQ=='), /neither a header/, 3],
  ];
  for (const [what, file, message, line] of rows) {
    test(what, () => {
      assert.throws(
        () => readPem(file),
        (error) => {
          assert.ok(error instanceof PemError);
          assert.match(error.message, message);
          assert.equal(error.line, line);
          return true;
        },
      );
    });
  }

  test('no error quotes the contents', () => {
    assert.throws(
      () => readPem(block('PRIVATE KEY', 'c2VjcmV0!')),
      (error) => error instanceof PemError && !error.message.includes('c2VjcmV0'),
    );
  });
});

test('what is written reads back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (der) => {
      const text = writePem('CERTIFICATE', der);
      assert.ok(text.split('\n').every((line) => line.length <= 64));
      assert.deepEqual(Uint8Array.from(readPem(text)[0]?.der ?? []), der);
    }),
  );
});

test('no text makes the reader throw anything but PemError', () => {
  const piece = fc.oneof(
    fc.constantFrom('-----BEGIN A-----\n', '-----END A-----\n', 'YQ==\n', 'X: y\n', '\n', '\r'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        readPem(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof PemError);
      }
    }),
    { numRuns: 2000 },
  );
});
