import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Atom,
  atom,
  decode,
  encode,
  encodeWithoutVersion,
  equals,
  formatTerm,
  type Term,
  Tuple,
} from '../../../src/etf/index.ts';
import { atomNames } from '../../../src/port/atoms.ts';
import {
  ackFrame,
  bulkPrefixes,
  callShapes,
  callTerm,
  ProtocolFault,
  readBulk,
  readCall,
  readToBeam,
  readToNode,
  resultTypes,
  toBeamShapes,
  toBeamTerm,
  toNodeShapes,
  toNodeTerm,
} from '../../../src/port/protocol.ts';
import { samples, sampleTag } from '../../support/port_samples.ts';

function nameOf(term: Term | undefined): string {
  assert.ok(term instanceof Atom);
  return term.name;
}

function same(actual: Term, expected: Term): void {
  assert.ok(equals(actual, expected), `${formatTerm(actual)} is not ${formatTerm(expected)}`);
}

/** Each sample must survive the wire and a reading and writing, and every shape must have a sample. */
function parity<T extends { readonly type: string }>(
  kind: string,
  shapes: object,
  read: (term: Term) => T,
  write: (message: T) => Term,
): void {
  const seen = new Set<string>();
  for (const [name, term] of samples(kind)) {
    const received = decode(encode(term as Term));
    const message = read(received);
    assert.equal(message.type, nameOf(name));
    same(write(message), term as Term);
    same(decode(encode(write(message))), term as Term);
    seen.add(message.type);
  }
  assert.deepEqual([...seen].sort(), Object.keys(shapes).sort());
}

describe('the samples of the port protocol', () => {
  it('hold every frame from the BEAM', () => {
    parity('to_node', toNodeShapes, readToNode, toNodeTerm);
  });

  it('hold every frame to the BEAM', () => {
    parity('to_beam', toBeamShapes, readToBeam, toBeamTerm);
  });

  it('hold every call', () => {
    parity('call', callShapes, readCall, callTerm);
  });

  it('hold every form of a result', () => {
    const seen = new Set<string>();
    for (const [name, term] of samples('result')) {
      const reply = new Tuple([atom('reply'), sampleTag, term as Term]);
      const message = readToBeam(decode(encode(reply)));
      assert.ok(message.type === 'reply');
      assert.equal(message.result.type, nameOf(name));
      same(toBeamTerm(message), reply);
      seen.add(message.result.type);
    }
    assert.deepEqual([...seen].sort(), [...resultTypes].sort());
  });

  it('hold the bytes of every bulk frame', () => {
    const seen = new Set<string>();
    for (const [name, term, bytes] of samples('bytes')) {
      assert.ok(bytes instanceof Uint8Array);
      same(decode(bytes), term as Term);
      const written = bulkBytes(term as Term);
      assert.deepEqual(written, Buffer.from(bytes));
      seen.add(nameOf(name));
    }
    assert.deepEqual([...seen].sort(), ['ack', ...Object.keys(bulkPrefixes)].sort());
  });

  it('name every atom that the program may send', () => {
    const [[names]] = samples('atoms') as [[Term[]]];
    assert.deepEqual(names.map((name) => String(name)).sort(), [...atomNames].sort());
  });

  it('hold frames that are refused, with the reason', () => {
    const refused = samples('refused');
    assert.ok(refused.length >= 10);
    for (const [reason, term] of refused) {
      assert.throws(
        () => {
          const message = readToNode(term as Term);
          assert.ok(message.type === 'request');
          readCall(message.call);
        },
        (cause) => cause instanceof ProtocolFault && cause.reason === nameOf(reason),
        formatTerm(term as Term),
      );
    }
  });
});

/** The bytes of a bulk frame, written the way the program and its partner write it. */
function bulkBytes(term: Term): Buffer {
  const message = (() => {
    try {
      return readToBeam(term);
    } catch {
      return readToNode(term);
    }
  })();
  const uint32 = (value: number): Uint8Array => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  switch (message.type) {
    case 'ack':
      return Buffer.from(ackFrame(message.id, message.bytes));
    case 'send':
    case 'tunnel':
    case 'data_binary':
    case 'data_list':
      return Buffer.concat([
        bulkPrefixes[message.type],
        uint32(message.id),
        encodeWithoutVersion(message.data),
      ]);
    case 'recv_binary':
    case 'recv_list': {
      const tag = encodeWithoutVersion(message.tag);
      assert.equal(tag.length, message.tagSize);
      return Buffer.concat([
        bulkPrefixes[message.type],
        uint32(tag.length),
        tag,
        encodeWithoutVersion(message.data),
      ]);
    }
    default:
      throw new Error(`not a bulk frame: ${message.type}`);
  }
}

describe('readBulk', () => {
  it('takes the samples apart without copying', () => {
    const sends = samples('bytes').filter(([name]) => nameOf(name) === 'send');
    assert.ok(sends.length > 0);
    for (const [, term, bytes] of sends) {
      const frame = bytes as Uint8Array;
      const send = readBulk('send', frame);
      assert.ok(send !== undefined && term instanceof Tuple);
      assert.equal(send.id, term.at(1));
      assert.deepEqual(Buffer.from(send.data), Buffer.from(term.at(2) as Uint8Array));
      assert.equal(send.data.buffer, frame.buffer);
    }
  });

  it('leaves every frame that differs to the decoder', () => {
    const good = Buffer.from(samples('bytes')[0]?.[2] as Uint8Array);
    const idAt = bulkPrefixes.send.length;
    for (let at = 0; at < idAt + 9; at++) {
      // The low bytes of the id may be anything; its sign bit may not be set.
      for (const flip of at === idAt ? [128] : at > idAt && at < idAt + 4 ? [] : [1, 128]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] as number) ^ flip;
        assert.equal(readBulk('send', bad), undefined, `byte ${at}`);
      }
    }
    assert.equal(readBulk('send', good.subarray(0, good.length - 1)), undefined);
    assert.equal(readBulk('send', good.subarray(0, 10)), undefined);
    assert.equal(readBulk('send', new Uint8Array(0)), undefined);
  });

  it('leaves a send that is encoded in another way, which the decoder reads', () => {
    const term = decode(
      Buffer.concat([
        Uint8Array.of(131, 104, 3, 100, 0, 4),
        Buffer.from('send'),
        Uint8Array.of(97, 7, 109, 0, 0, 0, 1, 5),
      ]),
    );
    assert.deepEqual(readToNode(term), { type: 'send', id: 7, data: Buffer.of(5) });
  });
});
