/**
 * The engine with the versions before TLS 1.3 against OpenSSL's and GnuTLS's command line programs, in both
 * roles: every suite that they have, and what these versions have besides.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemEntropy } from '../../src/ssl/crypto/index.ts';
import type { CipherSuite, EngineConfig, ProtocolVersion } from '../../src/ssl/tls/config.ts';
import { suiteFits } from '../../src/ssl/tls/handshake/negotiation.ts';
import { cipherSuiteFromName } from '../../src/ssl/tls/iana/cipher_suites.ts';
import { SessionCache12 } from '../../src/ssl/tls/session/session12.ts';
import { TicketKeys12 } from '../../src/ssl/tls/session/ticket_keys12.ts';
import { connectEngine, EngineListener, type TcpEngine } from '../support/engine_over_tcp.ts';
import { suite } from '../support/engine_pair.ts';
import { legacyAnswer, legacyClient, legacyServer, psk } from '../support/engine_pair_legacy.ts';
import { authority, leaf } from '../support/engine_pki.ts';
import { legacyLeaf, rsaAuthority } from '../support/engine_pki_legacy.ts';
import { freePort, Program } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'engine_legacy_'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const started = new Set<Program>();
after(async () => {
  for (const program of started) await program.stop();
});

/** A program that ends with the tests, whatever becomes of them. */
function start(command: string, args: readonly string[]): Program {
  const program = new Program(command, args);
  started.add(program);
  return program;
}

const versions = ['tlsv1', 'tlsv1.1', 'tlsv1.2'] as const;
type Version = (typeof versions)[number];
const FLAGS = { tlsv1: '-tls1', 'tlsv1.1': '-tls1_1', 'tlsv1.2': '-tls1_2' } as const;

/** Both test authorities in one file. */
function authorities(): string {
  const file = join(folder, 'authorities.pem');
  const certificates = [authority().certFile, rsaAuthority().certFile];
  writeFileSync(file, execFileSync('cat', certificates));
  return file;
}

/** The suites that OpenSSL knows too, with its names for them. */
function opensslSuites(): ReadonlyMap<CipherSuite, string> {
  const listing = execFileSync('openssl', [
    'ciphers',
    '-stdname',
    'ALL:COMPLEMENTOFALL:@SECLEVEL=0',
  ]);
  const suites = new Map<CipherSuite, string>();
  for (const line of listing.toString().split('\n')) {
    const [name, , opensslName] = line.trim().split(/\s+/);
    const row = cipherSuiteFromName(name ?? '');
    // its SRP does not interoperate: it pads what RFC 5054 §2.6 does not pad
    if (row === undefined || row.keyExchange === 'any' || /^srp/.test(row.keyExchange)) continue;
    suites.set(row, opensslName ?? '');
  }
  return suites;
}

const SUITES = opensslSuites();

/** The certificate that a suite needs of the server. */
function leafFor({ keyExchange }: CipherSuite) {
  if (keyExchange === 'dhe_dss') return legacyLeaf('dsa');
  return keyExchange === 'ecdhe_ecdsa' ? leaf('secp256r1') : legacyLeaf('rsa');
}

const LINE = 'The quick brown fox jumps over the lazy dog';
const REVERSED = [...LINE].reverse().join('');

async function exchangeWithServer(connection: TcpEngine): Promise<void> {
  connection.send(Buffer.from(`${LINE}\n`));
  assert.equal((await connection.receive(LINE.length + 1)).toString(), `${REVERSED}\n`);
}

/** `openssl s_server` with weak suites allowed. */
async function opensslServer(
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  ...args: readonly string[]
) {
  const port = await freePort();
  const program = start('openssl', [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-cert', certFile, '-key', keyFile],
    ...['-cipher', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0', '-psk', psk.toString('hex')],
    ...['-psk_identity', 'alice', ...args],
  ]);
  await program.printed(/ACCEPT/);
  return { port, program };
}

function opensslClient(port: number, ...args: readonly string[]): Program {
  return start('openssl', [
    ...['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', authorities()],
    ...['-servername', 'server.example', '-psk', psk.toString('hex'), '-psk_identity', 'alice'],
    ...args,
  ]);
}

/** OpenSSL without strength requirements makes groups of 1024 bits for anonymous DH. */
const config = (version: ProtocolVersion, changes: Partial<EngineConfig> = {}): EngineConfig =>
  legacyClient([version], { minDhBits: 1024, ...changes });

for (const version of versions) {
  const suites = [...SUITES.keys()].filter((row) => suiteFits(row, version));
  const groups = new Map<string, CipherSuite[]>();
  for (const row of suites) {
    const { certFile } = leafFor(row);
    groups.set(certFile, [...(groups.get(certFile) ?? []), row]);
  }

  describe(`${version} with OpenSSL`, () => {
    it(`as its client: ${suites.length} suites`, async () => {
      for (const rows of groups.values()) {
        const [first] = rows;
        assert.ok(first !== undefined);
        const { port, program } = await opensslServer(leafFor(first), FLAGS[version], '-rev');
        for (const row of rows) {
          const client = config(version, { cipherSuites: [row] });
          const connection = await connectEngine(client, port, legacyAnswer);
          const info = await connection.connected().catch((error: unknown) => {
            throw new Error(`${row.name}: ${error}`);
          });
          assert.equal(info.cipherSuite, row);
          assert.equal(info.version, version);
          await exchangeWithServer(connection);
          connection.close();
          await connection.closed();
        }
        await program.stop();
      }
    });

    it(`as its server: ${suites.length} suites`, async () => {
      const listener = await EngineListener.listen(() => legacyServer([version]), legacyAnswer);
      try {
        for (const row of suites) {
          const name = SUITES.get(row) ?? '';
          const client = opensslClient(
            ...([listener.port, FLAGS[version], '-nocommands'] as const),
            ...['-cipher', `${name}:@SECLEVEL=0`],
          );
          const connection = await listener.accept();
          const info = await connection.connected().catch((error: unknown) => {
            throw new Error(`${row.name}: ${error} ${client.output.slice(-500)}`);
          });
          assert.equal(info.cipherSuite, row);
          client.write('from the client\n');
          assert.equal((await connection.receive(16)).toString(), 'from the client\n');
          connection.send(Buffer.from('from the engine\n'));
          await client.printed(/from the engine/);
          await client.stop();
        }
      } finally {
        listener.close();
      }
    });
  });
}

const weak = (name: string): string => `${SUITES.get(suite(name)) ?? name}:@SECLEVEL=0`;

/** A client of a server that answers each line. */
async function withServer(
  args: readonly string[],
  run: (port: number, program: Program) => Promise<void>,
): Promise<void> {
  const { port, program } = await opensslServer(legacyLeaf('rsa'), ...args);
  try {
    await run(port, program);
  } finally {
    await program.stop();
  }
}

async function withListener(
  server: EngineConfig,
  run: (listener: EngineListener) => Promise<void>,
): Promise<void> {
  const listener = await EngineListener.listen(() => server, legacyAnswer);
  try {
    await run(listener);
  } finally {
    listener.close();
  }
}

describe('renegotiation with OpenSSL', () => {
  for (const version of versions) {
    it(`${version}: s_server takes the engine's`, async () => {
      await withServer([FLAGS[version], '-rev', '-client_renegotiation'], async (port) => {
        const connection = await connectEngine(config(version), port, legacyAnswer);
        await connection.connected();
        await exchangeWithServer(connection);
        connection.renegotiate();
        const { result } = await connection.happened('renegotiation');
        assert.equal(result, 'done');
        await exchangeWithServer(connection);
      });
    });

    it(`${version}: s_server asks the engine`, async () => {
      await withServer([FLAGS[version]], async (port, program) => {
        const connection = await connectEngine(config(version), port, legacyAnswer);
        await connection.connected();
        program.write('r\n');
        const { result } = await connection.happened('renegotiation');
        assert.equal(result, 'done');
        program.write('behind it\n');
        assert.equal((await connection.receive(10)).toString(), 'behind it\n');
        connection.send(Buffer.from('from the engine\n'));
        await program.printed(/from the engine/);
      });
    });

    it(`${version}: s_client asks the engine`, async () => {
      await withListener(legacyServer([version]), async (listener) => {
        const client = opensslClient(listener.port, FLAGS[version], '-cipher', 'ALL:@SECLEVEL=0');
        const connection = await listener.accept();
        await connection.connected();
        client.write('R\n');
        const { result } = await connection.happened('renegotiation');
        assert.equal(result, 'done');
        client.write('behind it\n');
        assert.equal((await connection.receive(10)).toString(), 'behind it\n');
        await client.stop();
      });
    });

    it(`${version}: the engine asks s_client`, async () => {
      await withListener(legacyServer([version]), async (listener) => {
        const client = opensslClient(listener.port, FLAGS[version], '-cipher', 'ALL:@SECLEVEL=0');
        const connection = await listener.accept();
        await connection.connected();
        connection.renegotiate();
        const { result } = await connection.happened('renegotiation');
        assert.equal(result, 'done');
        connection.send(Buffer.from('behind it\n'));
        await client.printed(/behind it/);
        await client.stop();
      });
    });
  }

  it('is refused by s_server, and the connection lives', async () => {
    await withServer(['-tls1_2', '-rev'], async (port) => {
      const connection = await connectEngine(config('tlsv1.2'), port, legacyAnswer);
      await connection.connected();
      connection.renegotiate();
      assert.equal((await connection.happened('renegotiation')).result, 'rejected');
      await exchangeWithServer(connection);
    });
  });
});

describe('resumption with OpenSSL', () => {
  for (const version of versions) {
    for (const [how, args] of [
      ['session ids', ['-no_ticket']],
      ['tickets', []],
    ] as const) {
      it(`${version}: the engine resumes sessions of s_server by ${how}`, async () => {
        await withServer([FLAGS[version], '-rev', ...args], async (port) => {
          const sessionStore = new SessionCache12(() => Date.now());
          const own = { sessionStore, sessionTarget: `127.0.0.1:${port}` };
          for (const resumed of [false, true, true]) {
            const connection = await connectEngine(config(version, own), port, legacyAnswer);
            const info = await connection.connected();
            assert.equal(info.resumed, resumed);
            await exchangeWithServer(connection);
            connection.close();
            await connection.closed();
          }
        });
      });

      it(`${version}: s_client resumes sessions of the engine by ${how}`, async () => {
        const sessionStore = new SessionCache12(() => Date.now());
        const ticketKeys12 = new TicketKeys12({ entropy: systemEntropy });
        const kept = how === 'tickets' ? { ticketKeys12 } : { sessionStore };
        await withListener(legacyServer([version], kept), async (listener) => {
          const file = join(folder, `${version}_${how.replace(' ', '_')}.pem`);
          for (const [resumed, option] of [
            [false, '-sess_out'],
            [true, '-sess_in'],
          ] as const) {
            const client = opensslClient(
              ...([listener.port, FLAGS[version], '-cipher', 'ALL:@SECLEVEL=0'] as const),
              ...[option, file, '-nocommands', ...args],
            );
            const connection = await listener.accept();
            const info = await connection.connected();
            assert.equal(info.resumed, resumed, client.output.slice(-300));
            connection.send(Buffer.from('hello\n'));
            await client.printed(/hello/);
            await client.stop();
          }
        });
      });
    }
  }
});

describe('extensions with OpenSSL', () => {
  it('encrypt_then_mac, in both roles', async () => {
    const row = suite('TLS_RSA_WITH_AES_128_CBC_SHA');
    await withServer(['-tls1_2', '-rev'], async (port) => {
      for (const encryptThenMac of [true, false]) {
        const changes = { cipherSuites: [row], encryptThenMac };
        const connection = await connectEngine(config('tlsv1.2', changes), port, legacyAnswer);
        assert.equal((await connection.connected()).encryptThenMac, encryptThenMac);
        await exchangeWithServer(connection);
        connection.close();
        await connection.closed();
      }
    });
    await withListener(legacyServer(['tlsv1.2']), async (listener) => {
      const client = opensslClient(listener.port, '-tls1_2', '-cipher', weak(row.name));
      const connection = await listener.accept();
      assert.equal((await connection.connected()).encryptThenMac, true);
      client.write('x\n');
      await connection.receive(2);
      await client.stop();
    });
  });

  it('max_fragment_length, in both roles', async () => {
    await withServer(['-tls1_2', '-rev'], async (port) => {
      const connection = await connectEngine(
        config('tlsv1.2', { maxFragmentLength: 512 }),
        port,
        legacyAnswer,
      );
      assert.equal((await connection.connected()).maxFragmentLength, 512);
      const long = 'x'.repeat(3000);
      connection.send(Buffer.from(`${long}\n`));
      assert.equal((await connection.receive(3001)).toString(), `${long}\n`);
    });
    await withListener(legacyServer(['tlsv1.2']), async (listener) => {
      const client = opensslClient(listener.port, '-tls1_2', '-maxfraglen', '1024', '-nocommands');
      const connection = await listener.accept();
      assert.equal((await connection.connected()).maxFragmentLength, 1024);
      connection.send(Buffer.from(`${'y'.repeat(5000)}end\n`));
      await client.printed(/y{5000}end/);
      await client.stop();
    });
  });

  it('NPN, in both roles', async () => {
    const protocols = ['spdy/3', 'http/1.1'].map((name) => Buffer.from(name));
    await withServer(['-tls1_2', '-rev', '-nextprotoneg', 'http/1.1,spdy/3'], async (port) => {
      for (const [precedence, name] of [
        ['client', 'spdy/3'],
        ['server', 'http/1.1'],
      ] as const) {
        const nextProtocols = { precedence, protocols };
        const connection = await connectEngine(
          config('tlsv1.2', { nextProtocols }),
          port,
          legacyAnswer,
        );
        const info = await connection.connected();
        assert.equal(Buffer.from(info.nextProtocol ?? []).toString(), name);
        await exchangeWithServer(connection);
        connection.close();
        await connection.closed();
      }
    });
    const server = legacyServer(['tlsv1.2'], { nextProtocolsAdvertised: protocols });
    await withListener(server, async (listener) => {
      const client = opensslClient(listener.port, '-tls1_2', '-nextprotoneg', 'http/1.1,x');
      const connection = await listener.accept();
      const info = await connection.connected();
      assert.equal(Buffer.from(info.nextProtocol ?? []).toString(), 'http/1.1');
      client.write('x\n');
      await connection.receive(2);
      await client.stop();
    });
  });

  it('FALLBACK_SCSV, in both roles', async () => {
    await withServer(['-rev'], async (port) => {
      const fallen = config('tlsv1.1', { fallback: true });
      const connection = await connectEngine(fallen, port, legacyAnswer);
      await assert.rejects(connection.connected(), /Inappropriate Fallback/);
    });
    await withListener(legacyServer(['tlsv1.1', 'tlsv1.2']), async (listener) => {
      const client = opensslClient(
        ...([listener.port, '-tls1_1', '-fallback_scsv'] as const),
        ...['-cipher', 'ALL:@SECLEVEL=0'],
      );
      await assert.rejects((await listener.accept()).connected(), /Inappropriate Fallback/);
      await client.stop();
    });
  });

  for (const kind of ['rsa', 'dsa'] as const) {
    for (const version of versions) {
      it(`${version}: client certificates with ${kind}, in both roles`, async () => {
        const { credential, certFile, keyFile } = legacyLeaf(kind);
        const demand = ['-Verify', '2', '-verify_return_error', '-CAfile', authorities()];
        await withServer([FLAGS[version], '-rev', ...demand], async (port) => {
          const own = config(version, { credentials: [credential] });
          const connection = await connectEngine(own, port, legacyAnswer);
          await connection.connected();
          await exchangeWithServer(connection);
        });
        const server = legacyServer([version], { verify: 'peer', failIfNoPeerCert: true });
        await withListener(server, async (listener) => {
          const client = opensslClient(
            ...([listener.port, FLAGS[version], '-cipher', 'DEFAULT:@SECLEVEL=0'] as const),
            ...[
              '-cert',
              certFile,
              '-key',
              keyFile,
              '-sigalgs',
              'ECDSA+SHA256:RSA+SHA256:DSA+SHA256',
            ],
          );
          const connection = await listener.accept();
          const info = await connection.connected();
          const own = Buffer.from(credential.chain[0] ?? []);
          assert.ok(own.equals(info.peerChain[0] ?? own.subarray(1)));
          client.write('x\n');
          await connection.receive(2);
          await client.stop();
        });
      });
    }
  }

  it('a stapled OCSP response, from the engine to s_client', async () => {
    const ocspResponse = unsuccessfulOcsp;
    await withListener(legacyServer(['tlsv1.2'], { ocspResponse }), async (listener) => {
      const client = opensslClient(listener.port, '-tls1_2', '-status');
      await (await listener.accept()).connected();
      await client.printed(/OCSP Response Status: trylater/);
      await client.stop();
    });
  });

  it('a stapled OCSP response, from s_server to the engine', async () => {
    const file = join(folder, 'response.der');
    writeFileSync(file, unsuccessfulOcsp);
    await withServer(['-tls1_2', '-rev', '-status_file', file], async (port) => {
      const connection = await connectEngine(
        config('tlsv1.2', { stapling: true }),
        port,
        legacyAnswer,
      );
      const { ocspResponse } = await connection.connected();
      assert.deepEqual(Buffer.from(ocspResponse ?? []), unsuccessfulOcsp);
    });
  });
});

/** RFC 6960 §4.2.1: tryLater. */
const unsuccessfulOcsp = Buffer.from('30030a0103', 'hex');

/** GnuTLS's names of key exchange and cipher in a priority string. */
function priority(version: Version, keyExchange: string, cipher: string, mac: string): string {
  const name = { tlsv1: 'TLS1.0', 'tlsv1.1': 'TLS1.1', 'tlsv1.2': 'TLS1.2' }[version];
  return (
    `NONE:+VERS-${name}:+${keyExchange}:+${cipher}:+${mac}:+COMP-NULL:+SIGN-ALL:+SIGN-DSA-SHA1:+SIGN-DSA-SHA256:+GROUP-ALL:` +
    '%VERIFY_ALLOW_SIGN_WITH_SHA1:%VERIFY_ALLOW_SIGN_RSA_MD5:%SERVER_PRECEDENCE'
  );
}

/** Suites by GnuTLS's names of their parts. */
const GNUTLS: readonly (readonly [name: string, kx: string, cipher: string, mac: string])[] = [
  ['TLS_RSA_WITH_RC4_128_SHA', 'RSA', 'ARCFOUR-128', 'SHA1'],
  ['TLS_RSA_WITH_RC4_128_MD5', 'RSA', 'ARCFOUR-128', 'MD5'],
  ['TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'RSA', '3DES-CBC', 'SHA1'],
  ['TLS_DHE_RSA_WITH_AES_128_CBC_SHA', 'DHE-RSA', 'AES-128-CBC', 'SHA1'],
  ['TLS_ECDHE_RSA_WITH_RC4_128_SHA', 'ECDHE-RSA', 'ARCFOUR-128', 'SHA1'],
  ['TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA', 'ECDHE-ECDSA', '3DES-CBC', 'SHA1'],
  ['TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA', 'DHE-DSS', '3DES-CBC', 'SHA1'],
  ['TLS_DH_anon_WITH_RC4_128_MD5', 'ANON-DH', 'ARCFOUR-128', 'MD5'],
  ['TLS_ECDH_anon_WITH_RC4_128_SHA', 'ANON-ECDH', 'ARCFOUR-128', 'SHA1'],
  ['TLS_PSK_WITH_RC4_128_SHA', 'PSK', 'ARCFOUR-128', 'SHA1'],
  ['TLS_PSK_WITH_3DES_EDE_CBC_SHA', 'PSK', '3DES-CBC', 'SHA1'],
  ['TLS_RSA_PSK_WITH_3DES_EDE_CBC_SHA', 'RSA-PSK', '3DES-CBC', 'SHA1'],
  ['TLS_DHE_PSK_WITH_RC4_128_SHA', 'DHE-PSK', 'ARCFOUR-128', 'SHA1'],
  ['TLS_ECDHE_PSK_WITH_RC4_128_SHA', 'ECDHE-PSK', 'ARCFOUR-128', 'SHA1'],
  ['TLS_SRP_SHA_WITH_AES_128_CBC_SHA', 'SRP', 'AES-128-CBC', 'SHA1'],
  ['TLS_SRP_SHA_WITH_3DES_EDE_CBC_SHA', 'SRP', '3DES-CBC', 'SHA1'],
  ['TLS_SRP_SHA_RSA_WITH_AES_256_CBC_SHA', 'SRP-RSA', 'AES-256-CBC', 'SHA1'],
  ['TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA', 'SRP-DSS', 'AES-128-CBC', 'SHA1'],
];

/** Files with the test's key and user. */
function gnutlsSecrets() {
  const pskFile = join(folder, 'psk.txt');
  writeFileSync(pskFile, `alice:${psk.toString('hex')}\n`);
  const conf = join(folder, 'srp.conf');
  const srpFile = join(folder, 'srp.txt');
  writeFileSync(srpFile, '');
  execFileSync('srptool', ['--create-conf', conf], { stdio: 'ignore' });
  execFileSync(
    'srptool',
    ['--passwd', srpFile, '--passwd-conf', conf, '--username', 'alice', '--index', '3'],
    { input: 'password123\npassword123\n', stdio: ['pipe', 'ignore', 'ignore'] },
  );
  return ['--pskpasswd', pskFile, '--srppasswd', srpFile, '--srppasswdconf', conf];
}

function leafForGnutls(row: CipherSuite) {
  return /dss$/.test(row.keyExchange) ? legacyLeaf('dsa') : leafFor(row);
}

for (const version of versions) {
  describe(`GnuTLS with ${version}`, () => {
    it(`as its client: ${GNUTLS.length} suites`, async () => {
      for (const [name, kx, cipher, mac] of GNUTLS) {
        const row = suite(name);
        const { certFile, keyFile } = leafForGnutls(row);
        const port = await freePort();
        const program = start('gnutls-serv', [
          ...['--echo', '--port', String(port), '--x509certfile', certFile],
          ...['--x509keyfile', keyFile, '--priority', priority(version, kx, cipher, mac)],
          ...gnutlsSecrets(),
        ]);
        await program.printed(/listening on IPv4[^\n]*done/);
        const client = config(version, { cipherSuites: [row] });
        const connection = await connectEngine(client, port, legacyAnswer);
        const info = await connection.connected().catch((error: unknown) => {
          throw new Error(`${name}: ${error} ${program.output.slice(-300)}`);
        });
        assert.equal(info.cipherSuite, row);
        connection.send(Buffer.from('echo\n'));
        assert.equal((await connection.receive(5)).toString(), 'echo\n', name);
        await program.stop();
      }
    });

    it(`as its server: ${GNUTLS.length - 2} suites`, async () => {
      const listener = await EngineListener.listen(() => legacyServer([version]), legacyAnswer);
      try {
        for (const [name, kx, cipher, mac] of GNUTLS) {
          // GnuTLS 3.7.9's client crashes with these two
          if (kx === 'DHE-PSK' || kx === 'ECDHE-PSK') continue;
          const client = start('gnutls-cli', [
            ...['127.0.0.1', '--port', String(listener.port), '--insecure', '--no-ca-verification'],
            ...['--priority', priority(version, kx, cipher, mac), '--logfile', '/dev/null'],
            ...['--pskusername', 'alice', '--pskkey', psk.toString('hex')],
            ...['--srpusername', 'alice', '--srppasswd', 'password123'],
          ]);
          const connection = await listener.accept();
          const info = await connection.connected().catch((error: unknown) => {
            throw new Error(`${name}: ${error} ${client.output.slice(-300)}`);
          });
          assert.equal(info.cipherSuite.name, name);
          client.write('from the client\n');
          assert.equal((await connection.receive(16)).toString(), 'from the client\n');
          connection.send(Buffer.from('from the engine\n'));
          await client.printed(/from the engine/);
          await client.stop();
        }
      } finally {
        listener.close();
      }
    });
  });
}
