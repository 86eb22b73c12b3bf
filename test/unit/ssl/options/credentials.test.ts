import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  type ConfigSource,
  createConfigSource,
  engineConfig,
  type FileSource,
  type Passwords,
  parseOptions,
  type Role,
} from '../../../../src/ssl/options/index.ts';
import type { Profile } from '../../../../src/ssl/options/profile.ts';
import type { EngineConfig } from '../../../../src/ssl/tls/config.ts';
import { readPem } from '../../../../src/ssl/x509/index.ts';
import { reader, show, term } from '../../../support/erlang_terms.ts';
import { fixture } from '../../../support/socket_pair.ts';

/** Files in memory that count how often they are read. */
class MemoryFiles implements FileSource {
  readonly contents = new Map<string, { bytes: Uint8Array; stamp: number }>();
  reads = 0;

  put(path: string, bytes: Uint8Array): void {
    this.contents.set(path, { bytes, stamp: (this.contents.get(path)?.stamp ?? 0) + 1 });
  }

  read(path: string): Uint8Array {
    this.reads += 1;
    return this.#file(path).bytes;
  }

  stamp(path: string): string {
    return String(this.#file(path).stamp);
  }

  #file(path: string) {
    const file = this.contents.get(path);
    if (file === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    return file;
  }
}

function world(): { files: MemoryFiles; source: ConfigSource } {
  const files = new MemoryFiles();
  for (const name of [
    'server.pem',
    'server.key',
    'ca.pem',
    'rsa.pem',
    'rsa.key',
    'rsa_encrypted.key',
  ]) {
    files.put(name, fixture(name));
  }
  files.put('text', Buffer.from('no PEM at all\n'));
  files.put('chain.pem', Buffer.concat([fixture('server.pem'), fixture('ca.pem')]));
  return { files, source: createConfigSource(() => 0, files) };
}

function config(
  options: string,
  source: ConfigSource,
  role: Role = 'server',
  profile: Profile = 'otp25',
): EngineConfig | string {
  const parsed = parseOptions(term(options), reader, { role, profile });
  if ('error' in parsed) return show(parsed.error);
  const made = engineConfig(parsed.ok, source, { dns: 'example.org' });
  if ('asks' in made) return 'asks';
  return 'error' in made ? show(made.error) : made.ok;
}

function good(options: string, source: ConfigSource, role: Role = 'server'): EngineConfig {
  const made = config(options, source, role);
  if (typeof made === 'string') throw new Error(made);
  return made;
}

const text = (string: string): string => show({ text: string });
const der = (name: string): string => {
  const [entry] = readPem(fixture(name));
  return `<<${[...(entry?.der ?? [])].join(',')}>>`;
};

describe('credentials', () => {
  it('come from files, from DER, and from certs_keys', () => {
    const { source } = world();
    const files = good('[{certfile,"server.pem"},{keyfile,"server.key"}]', source);
    const ders = good(
      `[{cert,${der('server.pem')}},{key,{'ECPrivateKey',${der('server.key')}}}]`,
      source,
    );
    const many = good(
      '[{certs_keys,[#{certfile=>"rsa.pem",keyfile=>"rsa.key"},#{certfile=>"server.pem",keyfile=>"server.key"}]}]',
      source,
    );
    assert.equal(files.credentials.length, 1);
    assert.equal(files.credentials[0]?.keyType, 'ec');
    assert.equal(files.credentials[0]?.curve, 'secp256r1');
    const chain = (made: EngineConfig) => made.credentials[0]?.chain.map((der) => Buffer.from(der));
    assert.deepEqual(chain(ders), chain(files));
    assert.deepEqual(
      many.credentials.map(({ keyType }) => keyType),
      // A-O03: OTP's order
      ['ec', 'rsa'],
    );
  });

  it('send the chain up to its root, which the file or the trust store has', () => {
    const { source } = world();
    const ca = [...readPem(fixture('ca.pem'))].map(({ der }) => Buffer.from(der));
    for (const options of [
      '[{certfile,"chain.pem"},{keyfile,"server.key"}]',
      '[{certfile,"server.pem"},{keyfile,"server.key"},{cacertfile,"ca.pem"}]',
    ]) {
      const { credentials } = good(options, source);
      const [, ...above] = credentials[0]?.chain ?? [];
      assert.deepEqual(
        above.map((der) => Buffer.from(der)),
        ca,
        options,
      );
    }
  });

  it('R39: a missing or wrong file is named with the option', () => {
    const { source } = world();
    const cases = {
      '[{certfile,"none"}]': `{options,{certfile,${text('none')},{error,enoent}}}`,
      '[{certfile,"server.pem"},{keyfile,"none"}]': `{options,{keyfile,${text('none')},{error,enoent}}}`,
      '[{certfile,"server.pem"}]': `{options,{keyfile,${text('server.pem')},[]}}`,
      '[{certfile,"text"}]': `{options,{certfile,${text('text')},no_certificate}}`,
      '[{certfile,"server.pem"},{keyfile,"text"}]': `{options,{keyfile,${text('text')},[]}}`,
      '[{certfile,"rsa.pem"},{keyfile,"rsa_encrypted.key"}]': `{options,{keyfile,${text('rsa_encrypted.key')},{error,password_required}}}`,
      '[{certfile,"rsa.pem"},{keyfile,"rsa_encrypted.key"},{password,"no"}]': `{options,{keyfile,${text('rsa_encrypted.key')},{error,password_wrong}}}`,
      '[{active,false},{verify,verify_peer},{cacertfile,"none"}]': `{options,{cacertfile,${text('none')},{error,enoent}}}`,
      '[{active,false},{verify,verify_peer},{cacertfile,"text"}]': `{options,{cacertfile,${text('text')},no_certificate}}`,
      '[{certfile,"server.pem"},{key,{\'RSAPrivateKey\',<<1,2,3>>}}]': '{options,{key,malformed}}',
      '[{active,false}]': '{options,{certs_keys,cert_and_key_required}}',
    };
    for (const [options, answer] of Object.entries(cases)) {
      assert.equal(config(options, source), answer, options);
    }
    assert.match(String(config('[{cert,<<1,2,3>>}]', source)), /^\{options,\{cert,\[/);
  });

  it('relative names of files start in the folder of the caller, and errors have them as given', () => {
    const { files, source } = world();
    files.put('/here/server.pem', fixture('rsa.pem'));
    files.put('/here/server.key', fixture('rsa.key'));
    files.put('/there/server.pem', fixture('server.pem'));
    files.put('/there/server.key', fixture('server.key'));
    const inFolder = (folder: string, more = '') =>
      config(
        `[{certfile,"server.pem"},{keyfile,"server.key"}${more},{'$env',[{cwd,<<"${folder}">>}]}]`,
        source,
      );
    for (const [folder, type] of [
      ['/here', 'rsa'],
      ['/there', 'ec'],
    ] as const) {
      const made = inFolder(folder);
      if (typeof made === 'string') throw new Error(made);
      assert.equal(made.credentials[0]?.keyType, type);
    }
    assert.equal(
      inFolder('/here', ',{cacertfile,"ca.pem"},{verify,verify_peer}'),
      `{options,{cacertfile,${text('ca.pem')},{error,enoent}}}`,
    );
  });

  it('a key of another certificate is refused, naming both', () => {
    const { source } = world();
    assert.equal(
      config('[{certfile,"server.pem"},{keyfile,"rsa.key"}]', source),
      `{options,{key_does_not_match_certificate,{certfile,${text('server.pem')}},{keyfile,${text('rsa.key')}}}}`,
    );
  });

  it('an encrypted key opens with its password, as string, binary and iodata', () => {
    const { source } = world();
    for (const password of ['"secret"', '<<"secret">>', '["se",<<"cr">>,[101,116]]']) {
      const options = `[{certfile,"rsa.pem"},{keyfile,"rsa_encrypted.key"},{password,${password}}]`;
      assert.equal(good(options, source).credentials[0]?.keyType, 'rsa');
    }
    // What a good password opened is not there for a wrong one.
    const wrong = '[{certfile,"rsa.pem"},{keyfile,"rsa_encrypted.key"},{password,"x"}]';
    assert.match(String(config(wrong, source)), /password_wrong/);
  });

  it('C07: a fun is asked for the password of a key that needs one, and of no other', () => {
    const { files, source } = world();
    const encrypted =
      '[{certfile,"rsa.pem"},{keyfile,"rsa_encrypted.key"},{password,{\'$fun\',7,0,<<1>>}}]';
    const parsed = parseOptions(term(encrypted), reader, { role: 'server', profile: 'otp25' });
    if ('error' in parsed) throw new Error('refused');
    const make = (passwords?: Passwords) =>
      engineConfig(parsed.ok, source, undefined, undefined, passwords);
    const asking = make();
    assert.equal('asks' in asking && asking.asks.index, 7);
    const wrong = make(new Map([[7, 'x']]));
    assert.match('error' in wrong ? show(wrong.error) : '', /\{error,password_wrong\}/);
    assert.ok('ok' in make(new Map([[7, 'secret']])));
    // What was made of the files holds until they change.
    assert.ok('ok' in make());
    files.put('rsa_encrypted.key', fixture('rsa_encrypted.key'));
    assert.ok('asks' in make());
    const plain = encrypted.replace('_encrypted', '');
    assert.equal(good(plain, source).credentials[0]?.keyType, 'rsa');
  });

  it('R51: files are read once, and again when they have changed', () => {
    const { files, source } = world();
    const options = term('[{certfile,"server.pem"},{keyfile,"server.key"}]');
    const parsed = parseOptions(options, reader, { role: 'server', profile: 'otp25' });
    if ('error' in parsed) throw new Error('refused');
    const make = () => {
      const made = engineConfig(parsed.ok, source);
      if (!('ok' in made)) throw new Error('refused');
      return made.ok;
    };
    const first = make();
    assert.equal(make().credentials, first.credentials);
    assert.equal(files.reads, 2);
    files.put('server.pem', fixture('rsa.pem'));
    files.put('server.key', fixture('rsa.key'));
    assert.equal(make().credentials[0]?.keyType, 'rsa');
    assert.equal(files.reads, 4);
    files.contents.delete('server.pem');
    const gone = engineConfig(parsed.ok, source);
    assert.match('error' in gone ? show(gone.error) : 'ok', /enoent/);
  });
});

describe('trust', () => {
  it('the same list of roots costs no parsing and gives the same store', () => {
    const { source } = world();
    const roots = `[{verify,verify_peer},{cacerts,[${der('ca.pem')}]}]`;
    const first = good(roots, source, 'client');
    const second = good(roots, source, 'client');
    assert.equal(first.trust?.certificates.length, 1);
    assert.equal(second.trust, first.trust);
    const other = good(
      `[{verify,verify_peer},{cacerts,[${der('ca.pem')},${der('rsa.pem')}]}]`,
      source,
      'client',
    );
    assert.notEqual(other.trust, first.trust);
  });

  it('A-O22: roots come as public_key gives them', () => {
    const { source } = world();
    const options = `[{verify,verify_peer},{cacerts,[{cert,${der('ca.pem')},whatever}]}]`;
    assert.equal(good(options, source, 'client').trust?.certificates.length, 1);
  });

  it('a list survives the frame it came in', () => {
    const { source } = world();
    const [entry] = readPem(readFileSync('test/vectors/sockets/ca.pem'));
    const bytes = Uint8Array.from(entry?.der ?? []);
    const first = source.trust.intern([bytes]);
    bytes.fill(0);
    assert.equal(source.trust.intern([Uint8Array.from(entry?.der ?? [])]), first);
  });
});

describe('the name of the peer', () => {
  const name = (options: string) => {
    const { serverName, reference } = good(options, world().source, 'client');
    return [serverName, reference];
  };

  it('A-O25: is the host, what server_name_indication says, or nobody', () => {
    assert.deepEqual(name('[]'), ['example.org', { dns: 'example.org' }]);
    assert.deepEqual(name('[{server_name_indication,"other.org"}]'), [
      'other.org',
      { dns: 'other.org' },
    ]);
    assert.deepEqual(name('[{server_name_indication,disable}]'), [undefined, undefined]);
  });

  it('is sent without the trailing dot, in ASCII, and never as an address', () => {
    assert.equal(name('[{server_name_indication,"a.org."}]')[0], 'a.org');
    assert.equal(
      name('[{server_name_indication,[98,252,99,104,101,114,46,100,101]}]')[0],
      'xn--bcher-kva.de',
    );
    assert.deepEqual(name('[{server_name_indication,"127.0.0.1"}]'), [
      undefined,
      { ip: '127.0.0.1' },
    ]);
  });
});

describe('hashes that no certificate may be signed with', () => {
  const refused = (options: string, profile: Profile): string[] => {
    const made = config(options, world().source, 'client', profile);
    if (typeof made === 'string') throw new Error(made);
    return [...(made.pathPolicy?.refusedHashes ?? [])];
  };

  it('are MD5 and SHA-1, unless the schemes in force name them', () => {
    const options = '[{verify,verify_none}]';
    assert.deepEqual(refused(options, 'otp25'), ['md5']);
    assert.deepEqual(refused(options, 'otp26'), ['md5', 'sha']);
    const named = '[{verify,verify_none},{signature_algs_cert,[rsa_pkcs1_sha1,rsa_pkcs1_sha256]}]';
    assert.deepEqual(refused(named, 'otp26'), ['md5']);
    const strict = '[{verify,verify_none},{signature_algs,[ecdsa_secp256r1_sha256]}]';
    assert.deepEqual(refused(strict, 'otp25'), ['md5', 'sha']);
  });
});
