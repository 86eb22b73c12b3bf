/** OCSP responses: decoding, and what they say in a path (RFC 6960 §3.2, §4.2). */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DerError } from '../../../../src/ssl/x509/der.ts';
import { writeInteger, writeSequence } from '../../../../src/ssl/x509/der_writer.ts';
import { defaultVerdict, runWith } from '../../../../src/ssl/x509/events.ts';
import {
  maxAgeWithoutNextUpdate,
  ocspNonceOf,
  ocspRequestExtensions,
} from '../../../../src/ssl/x509/ocsp.ts';
import {
  maxResponderCertificates,
  maxSingleResponses,
  parseOcspResponse,
} from '../../../../src/ssl/x509/ocsp_response.ts';
import { extensionIds } from '../../../../src/ssl/x509/oid.ts';
import { createTrustStore } from '../../../../src/ssl/x509/trust_store.ts';
import { verifyPeerChain } from '../../../../src/ssl/x509/verify.ts';
import { type Issued, issue, issueCa, makeCa } from '../../../support/certificates.ts';
import { unknownCritical } from '../../../support/crls.ts';
import { failedOcsp, makeOcsp, type SingleOptions } from '../../../support/ocsp.ts';

const root = makeCa({ subject: 'Root' });
const authority = issueCa(root, { subject: 'Authority' });
const leaf = issue(authority, { subject: 'leaf', dns: ['example.test'] });
const other = issue(authority, { subject: 'other' });
const delegate = issue(authority, { subject: 'Responder', extKeyUsage: ['OCSPSigning'] });
const nonce = Buffer.from('0102030405060708', 'hex');
const hour = 3_600_000;
const about = (more: Partial<SingleOptions> = {}): readonly SingleOptions[] => [
  { certificate: leaf, issuer: authority, ...more },
];

interface Case {
  readonly judged?: boolean;
  readonly chain?: readonly Issued[];
  readonly responders?: readonly Issued[];
  readonly nonce?: Uint8Array;
}

function verify(response: Uint8Array | undefined, more: Case = {}) {
  const { judged = true, chain = [leaf, authority], responders = [] } = more;
  return runWith(
    verifyPeerChain({
      chain: chain.map(({ der }) => der),
      trust: createTrustStore([root.certificate]),
      ...{ now: Date.now(), depth: 10, purpose: 'server' as const },
      stapled: {
        ...{ response, judged, nonce: more.nonce },
        responders: responders.map(({ certificate }) => certificate),
      },
    }),
    defaultVerdict,
  );
}

function verdict(response: Uint8Array | undefined, more?: Case): string {
  const result = verify(response, more);
  if (result.ok) return 'ok';
  return result.fault.revocationReason ?? result.fault.ocspProblem ?? result.fault.rule;
}

describe('what a stapled response says', () => {
  test('good, revoked with its reason, unknown, nothing', () => {
    assert.equal(verdict(makeOcsp(authority, about())), 'ok');
    assert.equal(verdict(makeOcsp(authority, about({ status: { reason: 1 } }))), 'keyCompromise');
    assert.equal(verdict(makeOcsp(authority, about({ status: {} }))), 'unspecified');
    assert.equal(verdict(makeOcsp(authority, about({ status: 'unknown' }))), 'unknown');
    assert.equal(verdict(undefined), 'not_stapled');
    for (const [code, name] of [
      [1, 'malformedRequest'],
      [2, 'internalError'],
      [3, 'tryLater'],
      [5, 'sigRequired'],
      [6, 'unauthorized'],
    ] as const) {
      assert.equal(verdict(failedOcsp(code)), name);
    }
    assert.match(verdict(failedOcsp(4)), /^malformed: an unknown OCSPResponseStatus/);
  });

  test('a revoked certificate is named, with the reason and the day', () => {
    const result = verify(makeOcsp(authority, about({ status: { reason: 4 } })));
    assert.ok(!result.ok);
    assert.match(
      result.fault.message,
      /^the certificate is revoked; certificate 0 \(the peer's own\) "CN=leaf"; found superseded since 20\d\d-/,
    );
  });

  test('of several answers the worst counts', () => {
    const all = [...about(), ...about({ status: { reason: 1 } })];
    assert.equal(verdict(makeOcsp(authority, all)), 'keyCompromise');
    assert.equal(
      verdict(makeOcsp(authority, [...about(), ...about({ status: 'unknown' })])),
      'unknown',
    );
  });

  test('it must be about this certificate of this issuer, by any hash', () => {
    for (const hash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      assert.equal(verdict(makeOcsp(authority, about({ hash }))), 'ok');
    }
    const foreign = [{ certificate: other, issuer: authority }];
    assert.equal(verdict(makeOcsp(authority, foreign)), 'no_matched_response');
    assert.equal(verdict(makeOcsp(authority, [...foreign, ...about()])), 'ok');
    assert.equal(verdict(makeOcsp(authority, about({ issuer: root }))), 'no_matched_response');
  });

  test('it is of now', () => {
    const now = Date.now();
    const stale = 'ocsp_stale_response';
    const of = (more: Partial<SingleOptions>) => verdict(makeOcsp(authority, about(more)));
    assert.equal(of({ nextUpdate: now - hour }), stale);
    assert.equal(of({ thisUpdate: now + hour }), stale);
    assert.equal(of({ thisUpdate: now + 60_000 }), 'ok');
    assert.equal(of({ nextUpdate: false }), 'ok');
    assert.equal(
      of({ nextUpdate: false, thisUpdate: now - maxAgeWithoutNextUpdate - hour }),
      stale,
    );
    assert.equal(verdict(makeOcsp(authority, about(), { producedAt: now + hour })), stale);
  });

  test('a nonce must be answered by the same, or by none', () => {
    assert.equal(verdict(makeOcsp(authority, about(), { nonce }), { nonce }), 'ok');
    assert.equal(verdict(makeOcsp(authority, about()), { nonce }), 'ok');
    assert.equal(verdict(makeOcsp(authority, about(), { nonce })), 'ok');
    const others = makeOcsp(authority, about(), { nonce: Buffer.alloc(8) });
    assert.equal(verdict(others, { nonce }), 'nonce_mismatch');
    for (const sent of [nonce, undefined]) {
      const request = ocspRequestExtensions(sent);
      assert.deepEqual(ocspNonceOf(request) && Buffer.from(ocspNonceOf(request) ?? []), sent);
    }
  });

  test('a critical extension that is not understood', () => {
    const extensions = [unknownCritical];
    for (const response of [
      makeOcsp(authority, about(), { extensions }),
      makeOcsp(authority, about({ extensions })),
    ]) {
      assert.equal(verdict(response), 'unknown critical extension 1.2.3.4');
    }
  });
});

describe('who signs a response', () => {
  test('the issuer, by name or by key', () => {
    assert.equal(verdict(makeOcsp(authority, about(), { byKey: true })), 'ok');
    const bad = makeOcsp(authority, about(), { badSignature: true });
    assert.equal(verdict(bad), 'ocsp_response_bad_signature');
    assert.equal(verdict(makeOcsp(root, about())), 'ocsp_responder_cert_not_found');
    assert.equal(
      verdict(makeOcsp(authority, about(), { hash: 'sha1' })),
      'weak_signature_algorithm',
    );
  });

  test('a responder whom the issuer has named for it, itself', () => {
    const signedBy = (signer: Issued, byKey = false) =>
      verdict(makeOcsp(signer, about(), { byKey, certificates: [signer] }));
    assert.equal(signedBy(delegate), 'ok');
    assert.equal(signedBy(delegate, true), 'ok');
    assert.equal(verdict(makeOcsp(delegate, about())), 'ocsp_responder_cert_not_found');
    const refused = 'not_authorized_responder';
    assert.equal(signedBy(other), refused);
    assert.equal(signedBy(issue(authority, { extKeyUsage: ['serverAuth'] })), refused);
    assert.equal(signedBy(issue(root, { extKeyUsage: ['OCSPSigning'] })), refused);
    assert.equal(
      signedBy(issue(authority, { extKeyUsage: ['OCSPSigning'], keyUsage: ['keyEncipherment'] })),
      refused,
    );
    const forged = issue(authority, { extKeyUsage: ['OCSPSigning'], badSignature: true });
    assert.equal(signedBy(forged), refused);
    const expired = issue(authority, {
      ...{ extKeyUsage: ['OCSPSigning'], notAfter: Date.now() - hour },
    });
    assert.equal(signedBy(expired), 'ocsp_responder_cert_expired');
  });

  test("one of the user's own", () => {
    const own = makeCa({ subject: 'Local responder' });
    const response = makeOcsp(own, about());
    assert.equal(verdict(response), 'ocsp_responder_cert_not_found');
    assert.equal(verdict(response, { responders: [own] }), 'ok');
    assert.equal(verdict(response, { responders: [other] }), 'ocsp_responder_cert_not_found');
  });
});

describe('a response that is not judged', () => {
  test('may say anything, and be missing', () => {
    const revoked = makeOcsp(authority, about({ status: { reason: 1 } }));
    assert.equal(verdict(revoked, { judged: false }), 'ok');
    assert.equal(verdict(undefined, { judged: false }), 'ok');
  });

  test('must be there when the certificate says so (RFC 7633)', () => {
    const must = (features: readonly number[]) =>
      issue(authority, {
        extensions: [
          {
            id: extensionIds.tlsFeature,
            value: writeSequence(...features.map((feature) => writeInteger(feature))),
          },
        ],
      });
    const chain = (features: readonly number[]) => [must(features), authority];
    assert.equal(verdict(undefined, { judged: false, chain: chain([5]) }), 'not_stapled');
    assert.equal(verdict(undefined, { judged: false, chain: chain([17, 5]) }), 'not_stapled');
    assert.equal(verdict(undefined, { judged: false, chain: chain([17]) }), 'ok');
    const response = makeOcsp(authority, about());
    assert.equal(verdict(response, { judged: false, chain: chain([5]) }), 'ok');
  });
});

describe('hostile responses', () => {
  test('every mutation is a verdict', () => {
    const good = makeOcsp(delegate, about({ status: { reason: 1 } }), {
      ...{ nonce, certificates: [delegate] },
    });
    const verdicts = new Map<string, number>();
    for (let at = 0; at < good.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bad = Uint8Array.from(good);
        bad[at] = (bad[at] as number) ^ flip;
        const kind = verdict(bad, { nonce });
        assert.notEqual(kind, 'ok', `byte ${at} ^ ${flip}`);
        verdicts.set(kind.split(':')[0] as string, 1);
      }
      assert.match(verdict(good.subarray(0, at)), /^malformed: /);
    }
    assert.ok(verdicts.size >= 4, [...verdicts.keys()].join());
  });

  test('too much of anything is refused', () => {
    const many = Array.from({ length: maxSingleResponses + 1 }, () => about()[0] as SingleOptions);
    assert.throws(() => parseOcspResponse(makeOcsp(authority, many)), DerError);
    const certificates = Array.from({ length: maxResponderCertificates + 1 }, () => delegate);
    assert.throws(() => parseOcspResponse(makeOcsp(delegate, about(), { certificates })), DerError);
  });
});
