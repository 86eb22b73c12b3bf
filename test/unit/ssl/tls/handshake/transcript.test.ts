import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { Transcript } from '../../../../../src/ssl/tls/handshake/transcript.ts';

const digest = (...parts: readonly (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

describe('the transcript', () => {
  it('hashes what came before the hash was known, and what comes later', () => {
    const transcript = new Transcript();
    transcript.add(Buffer.from('one'));
    assert.throws(() => transcript.hash(), /no hash/);
    transcript.use('sha256');
    transcript.add(Buffer.from('two'));
    assert.equal(transcript.hash().toString('hex'), digest('onetwo'));
    transcript.add(Buffer.from('three'));
    assert.equal(transcript.hash().toString('hex'), digest('onetwothree'));
    assert.equal(transcript.messages().toString(), 'onetwothree');
  });

  it('replaces the first ClientHello by message_hash', () => {
    const transcript = new Transcript();
    transcript.add(Buffer.from('hello'));
    transcript.replaceWithMessageHash('sha256');
    transcript.add(Buffer.from('retry'));
    const header = Buffer.from([254, 0, 0, 32]);
    const first = createHash('sha256').update('hello').digest();
    assert.equal(transcript.hash().toString('hex'), digest(header, first, 'retry'));
  });

  it('keeps only the digest once the messages are forgotten', () => {
    const transcript = new Transcript();
    transcript.use('sha256');
    transcript.add(Buffer.from('one'));
    transcript.forgetMessages();
    transcript.add(Buffer.from('two'));
    assert.equal(transcript.hash().toString('hex'), digest('onetwo'));
    assert.throws(() => transcript.messages(), /no longer/);
  });
});
