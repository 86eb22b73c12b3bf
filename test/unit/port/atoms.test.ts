import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Atom, ErlangMap, ImproperList, type Term, Tuple } from '../../../src/etf/index.ts';
import { atomNames } from '../../../src/port/atoms.ts';
import { Terms } from '../../../src/port/terms.ts';
import { hashNames } from '../../../src/ssl/crypto/index.ts';
import {
  cipherSuiteMap,
  signatureSchemeValue,
  tlsOptions,
} from '../../../src/ssl/options/index.ts';
import { tellChoices } from '../../../src/ssl/tls/account/explain.ts';
import type { EngineConfig } from '../../../src/ssl/tls/config.ts';
import { alertDescriptions } from '../../../src/ssl/tls/iana/alerts.ts';
import { cipherSuites } from '../../../src/ssl/tls/iana/cipher_suites.ts';
import { extensionNames } from '../../../src/ssl/tls/iana/extensions.ts';
import { namedGroups } from '../../../src/ssl/tls/iana/groups.ts';
import { signatureSchemes } from '../../../src/ssl/tls/iana/signature_schemes.ts';
import { protocolVersions } from '../../../src/ssl/tls/iana/versions.ts';
import type { Value } from '../../../src/ssl/value.ts';
import { clientConfig, Pair, serverConfig, suites13 } from '../../support/engine_pair.ts';
import { leaf } from '../../support/engine_pki.ts';
import { follow } from '../../support/engine_trace.ts';

/** The atoms of some values that the list lacks. */
function missing(values: readonly Value[]): string[] {
  const lacking = new Set<string>();
  const terms = new Terms((name) => lacking.add(name));
  for (const value of values) {
    terms.termOf(value);
  }
  return [...lacking];
}

const signatureSchemesOfTrace = signatureSchemes.filter((name) => name !== 'rsa_pkcs1_md5_sha1');

/** Handshakes whose accounts differ. */
const accounts: readonly (readonly [Partial<EngineConfig>, Partial<EngineConfig>])[] = [
  [{}, {}],
  [{ versions: ['tlsv1.2'] }, {}],
  [{ groups: ['x25519', 'secp384r1'] }, { groups: ['secp384r1'] }],
  [{ cipherSuites: [suites13[0]] }, { cipherSuites: [suites13[1]] }],
  [{ signatureSchemes: ['ed25519'] }, {}],
  [{ credentials: [leaf('rsa').credential] }, { verify: 'peer', trust: clientConfig().trust }],
];

describe('the list of atoms', () => {
  it('holds every version, alert and group', () => {
    assert.deepEqual(missing([...protocolVersions, ...alertDescriptions, ...namedGroups]), []);
  });

  it('holds the parts of every cipher suite and signature scheme', () => {
    assert.deepEqual(missing(cipherSuites.map(cipherSuiteMap)), []);
    assert.deepEqual(missing(signatureSchemes.map(signatureSchemeValue)), []);
  });

  it('holds the name of every option', () => {
    assert.deepEqual(missing(Object.keys(tlsOptions)), []);
  });

  it('holds the names in the account of a handshake', () => {
    assert.deepEqual(missing([...extensionNames, ...signatureSchemesOfTrace]), []);
    assert.deepEqual(missing(hashNames), []);
    const values: Value[] = [];
    for (const [client, server] of accounts) {
      const pair = new Pair(clientConfig(client), serverConfig(server));
      const steps = [follow(pair.client.engine), follow(pair.server.engine)];
      pair.handshake();
      values.push(...steps.flat().map(({ value }) => value));
      for (const { engine } of [pair.client, pair.server]) {
        values.push({ map: tellChoices(engine.choices) });
      }
    }
    assert.ok(values.length > 100);
    assert.deepEqual(missing(values), []);
  });

  it('is what decides between an atom and a binary', () => {
    assert.deepEqual(missing(['ok', 'not_in_the_list']), ['not_in_the_list']);
    assert.ok(atomNames.has('ok') && !atomNames.has('not_in_the_list'));
  });
});

describe('Terms', () => {
  const terms = new Terms((name) => assert.fail(name));

  it('turns every kind of value into its term', () => {
    const kept: Term = new Tuple([1]);
    const term = terms.termOf([
      'ok',
      true,
      7,
      2n ** 70n,
      Uint8Array.of(1),
      { text: 'aé😀' },
      { list: ['error', { list: [] }] },
      { map: [['prf', 1]] },
      { term: kept },
      [],
      { list: [104], tail: Uint8Array.of(105) },
      { list: [], tail: Uint8Array.of(106) },
    ]);
    assert.ok(term instanceof Tuple);
    const [ok, yes, small, big, bytes, text, list, map, echoed, empty, improper, bare] =
      term.elements;
    assert.ok(ok instanceof Atom && ok.name === 'ok');
    assert.equal(yes, true);
    assert.equal(small, 7);
    assert.equal(big, 2n ** 70n);
    assert.deepEqual(bytes, Uint8Array.of(1));
    assert.deepEqual(text, [97, 233, 0x1f600]);
    assert.ok(Array.isArray(list) && list.length === 2 && (list[1] as Term[]).length === 0);
    assert.ok(map instanceof ErlangMap && map.size === 1);
    assert.equal(echoed, kept);
    assert.ok(empty instanceof Tuple && empty.length === 0);
    assert.ok(improper instanceof ImproperList);
    assert.deepEqual(improper.elements, [104]);
    assert.deepEqual(improper.tail, Uint8Array.of(105));
    assert.deepEqual(bare, Uint8Array.of(106));
  });

  it('reads each type and answers undefined for every other', () => {
    const { reader } = terms;
    const samples: Record<string, unknown> = {
      atom: Atom.of('ok'),
      integer: 5,
      binary: Uint8Array.of(1),
      list: [Atom.of('ok')],
      text: [...Buffer.from('text')],
      tuple: new Tuple([1]),
      map: new ErlangMap([[1, 2]]),
    };
    for (const kind of ['atom', 'integer', 'binary', 'list', 'text', 'tuple', 'map'] as const) {
      for (const [name, sample] of Object.entries(samples)) {
        const fits = kind === name || (kind === 'list' && name === 'text');
        assert.equal(reader[kind](sample) !== undefined, fits, `${kind} of ${name}`);
      }
    }
    assert.equal(reader.atom(true), 'true');
    assert.equal(reader.integer(2n ** 64n), 2n ** 64n);
    assert.equal(reader.text([]), '');
    assert.equal(reader.text([0x1f600, 233]), '😀é');
    for (const bad of [[0xd800], [0x110000], [-1], [1.5], [Atom.of('a')]]) {
      assert.equal(reader.text(bad), undefined);
    }
    assert.deepEqual(reader.map(samples.map), [[1, 2]]);
    assert.equal(reader.same(new Tuple([1, [2]]), new Tuple([1, [2]])), true);
    assert.equal(reader.same(new Tuple([1]), new Tuple([2])), false);
  });
});
