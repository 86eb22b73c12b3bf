/**
 * The engine against OpenSSL's and GnuTLS's command line programs, in both roles.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { EngineConfig, NamedGroup, ProtocolVersion } from '../../src/ssl/tls/config.ts';
import { connectEngine, EngineListener } from '../support/engine_over_tcp.ts';
import { clientConfig, groups, serverConfig, suite } from '../support/engine_pair.ts';
import { authority, type LeafKind, leaf } from '../support/engine_pki.ts';
import { freePort, Program } from '../support/program.ts';

const VERSION_FLAGS = { 'tlsv1.2': '-tls1_2', 'tlsv1.3': '-tls1_3' } as const;
type Version = keyof typeof VERSION_FLAGS;
const versions: readonly Version[] = ['tlsv1.2', 'tlsv1.3'];
const kinds: readonly LeafKind[] = ['rsa', 'secp256r1', 'ed25519'];

/** `openssl s_server` that sends back each line reversed. */
async function opensslServer(kind: LeafKind, ...args: readonly string[]) {
  const { certFile, keyFile } = leaf(kind);
  const port = await freePort();
  const program = new Program('openssl', [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-cert', certFile, '-key', keyFile, '-rev'],
    ...args,
  ]);
  await program.printed(/ACCEPT/);
  return { port, program };
}

/** Sends a line and expects it back reversed. */
async function exchangeWithServer(config: EngineConfig, port: number) {
  const connection = await connectEngine(config, port);
  const info = await connection.connected();
  const text = 'The quick brown fox jumps over the lazy dog';
  connection.send(Buffer.from(`${text}\n`));
  const answer = await connection.receive(text.length + 1);
  assert.equal(answer.toString(), `${[...text].reverse().join('')}\n`);
  return { connection, info };
}

/** `openssl s_client`; lines go to the engine, and what the engine sends is printed. */
function opensslClient(port: number, ...args: readonly string[]): Program {
  return new Program('openssl', [
    ...['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', authority().certFile],
    ...['-servername', 'server.example', '-verify_return_error', '-nocommands', ...args],
  ]);
}

/** Waits for the client's line and answers. */
async function exchangeWithClient(listener: EngineListener, client: Program) {
  const connection = await listener.accept();
  const info = await connection.connected();
  client.write('from the client\n');
  assert.equal((await connection.receive(16)).toString(), 'from the client\n');
  connection.send(Buffer.from('from the engine\n'));
  await client.printed(/from the engine/);
  return { connection, info };
}

async function withServer(
  kind: LeafKind,
  args: readonly string[],
  run: (port: number, program: Program) => Promise<void>,
): Promise<void> {
  const { port, program } = await opensslServer(kind, ...args);
  try {
    await run(port, program);
  } finally {
    await program.stop();
  }
}

async function withListener(
  config: Partial<EngineConfig>,
  run: (listener: EngineListener) => Promise<void>,
): Promise<void> {
  const listener = await EngineListener.listen(() => serverConfig(config));
  try {
    await run(listener);
  } finally {
    listener.close();
  }
}

describe('the engine as client of openssl s_server', () => {
  for (const version of versions) {
    for (const kind of kinds) {
      it(`${version} with ${kind}`, async () => {
        await withServer(kind, [VERSION_FLAGS[version]], async (port) => {
          const { connection, info } = await exchangeWithServer(clientConfig(), port);
          assert.equal(info.version, version);
          assert.equal(info.peerChain.length, 1);
          connection.close();
          await connection.closed();
        });
      });
    }
  }

  for (const group of groups) {
    it(`HelloRetryRequest to ${group}`, async () => {
      // OpenSSL's own names of the groups
      const names: Partial<Record<NamedGroup, string>> = {
        x25519: 'X25519',
        x448: 'X448',
        secp256r1: 'P-256',
      };
      const first = group === 'x25519' ? 'secp256r1' : 'x25519';
      await withServer('secp256r1', ['-tls1_3', '-groups', names[group] ?? group], async (port) => {
        const config = clientConfig({ groups: [first, group], keyShares: 1 });
        const { info } = await exchangeWithServer(config, port);
        assert.equal(info.group, group);
      });
    });
  }

  for (const name of [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  ]) {
    it(`${name}, client certificate, ALPN`, async () => {
      const row = suite(name);
      const version: ProtocolVersion = row.keyExchange === 'any' ? 'tlsv1.3' : 'tlsv1.2';
      const args = [
        '-Verify',
        '2',
        '-verify_return_error',
        '-CAfile',
        authority().certFile,
        '-alpn',
        'h2',
      ];
      await withServer('rsa', args, async (port, program) => {
        const config = clientConfig({
          versions: [version],
          cipherSuites: [row],
          credentials: [leaf('ed25519').credential],
          alpn: [Buffer.from('http/1.1'), Buffer.from('h2')],
        });
        const { info } = await exchangeWithServer(config, port);
        assert.equal(info.cipherSuite.name, name);
        assert.equal(Buffer.from(info.alpn ?? []).toString(), 'h2');
        assert.equal(info.ownSignatureScheme, 'ed25519');
        await program.printed(/depth=0 CN = server.example/);
      });
    });
  }

  it('KeyUpdate both ways', async () => {
    await withServer('secp256r1', ['-tls1_3'], async (port) => {
      const { connection } = await exchangeWithServer(clientConfig(), port);
      for (const both of [false, true]) {
        connection.updateKeys(both);
        connection.send(Buffer.from('abc\n'));
        assert.equal((await connection.receive(4)).toString(), 'cba\n');
      }
    });
  });

  it('receives session tickets', async () => {
    await withServer('secp256r1', ['-tls1_3'], async (port) => {
      const { connection } = await exchangeWithServer(clientConfig(), port);
      const sessions = connection.events.filter((event) => event.type === 'new_session');
      assert.equal(sessions.length, 2);
    });
  });

  it('refuses a certificate for another name', async () => {
    await withServer('secp256r1', [], async (port, program) => {
      const config = clientConfig({ reference: { dns: 'other.example' } });
      const connection = await connectEngine(config, port);
      await assert.rejects(
        connection.connected(),
        /Fatal - Handshake Failure\n.*hostname_check_failed/,
      );
      await program.printed(/handshake failure/);
    });
  });
});

describe('the engine as server of openssl s_client', () => {
  for (const version of versions) {
    for (const kind of kinds) {
      it(`${version} with ${kind}`, async () => {
        await withListener({ credentials: [leaf(kind).credential] }, async (listener) => {
          const client = opensslClient(listener.port, VERSION_FLAGS[version]);
          const { info } = await exchangeWithClient(listener, client);
          assert.equal(info.version, version);
          assert.equal(info.serverName, 'server.example');
          await client.printed(/Verify return code: 0 \(ok\)/);
          await client.stop();
        });
      });
    }
  }

  for (const group of groups) {
    it(`HelloRetryRequest to ${group}`, async () => {
      await withListener({ groups: [group] }, async (listener) => {
        const first = group === 'x25519' ? 'P-256' : 'X25519';
        const names: Partial<Record<NamedGroup, string>> = {
          x25519: 'X25519',
          x448: 'X448',
          secp256r1: 'P-256',
        };
        const client = opensslClient(
          listener.port,
          ...['-tls1_3', '-groups', `${first}:${names[group] ?? group}`],
        );
        const { info } = await exchangeWithClient(listener, client);
        assert.equal(info.group, group);
        await client.stop();
      });
    });
  }

  for (const version of versions) {
    for (const kind of kinds) {
      it(`${version}, ${kind} client certificate, ALPN`, async () => {
        const config = {
          verify: 'peer',
          failIfNoPeerCert: true,
          trust: clientConfig().trust,
          alpn: [Buffer.from('h2'), Buffer.from('http/1.1')],
        } as const;
        await withListener(config, async (listener) => {
          const { certFile, keyFile } = leaf(kind);
          const client = opensslClient(
            listener.port,
            ...[VERSION_FLAGS[version], '-cert', certFile, '-key', keyFile, '-alpn', 'http/1.1,h2'],
          );
          const { info } = await exchangeWithClient(listener, client);
          assert.equal(Buffer.from(info.alpn ?? []).toString(), 'h2');
          assert.deepEqual(Buffer.from(info.peerChain[0] ?? []), leaf(kind).credential.chain[0]);
          await client.stop();
        });
      });
    }
  }

  for (const version of versions) {
    it(`${version}: the same secrets and exported keying material`, async () => {
      await withListener({ keepSecrets: true }, async (listener) => {
        const folder = mkdtempSync(join(tmpdir(), 'engine_keylog_'));
        const keyLogFile = join(folder, 'keys.log');
        const client = opensslClient(
          listener.port,
          ...[VERSION_FLAGS[version], '-keylogfile', keyLogFile],
          ...['-keymatexport', 'EXPORTER-engine-test', '-keymatexportlen', '48'],
        );
        const { connection } = await exchangeWithClient(listener, client);
        await client.printed(/Keying material: [0-9A-F]+/);
        const printed = /Keying material: ([0-9A-F]+)/.exec(client.output)?.[1]?.toLowerCase();
        const exported = connection.engine.exportKeyingMaterial(
          'EXPORTER-engine-test',
          undefined,
          48,
        );
        assert.equal(Buffer.from(exported).toString('hex'), printed);
        const lines = readFileSync(keyLogFile, 'latin1')
          .split('\n')
          .filter((line) => /^[A-Z]/.test(line));
        assert.deepEqual([...connection.engine.keyLog].sort(), lines.sort());
        await client.stop();
        rmSync(folder, { recursive: true });
      });
    });
  }

  it('refuses a client without a certificate', async () => {
    const config = { verify: 'peer', failIfNoPeerCert: true, trust: clientConfig().trust } as const;
    await withListener(config, async (listener) => {
      for (const [version, alert] of [
        ['tlsv1.3', /Certificate required/],
        ['tlsv1.2', /Handshake Failure/],
      ] as const) {
        const client = opensslClient(listener.port, VERSION_FLAGS[version]);
        await assert.rejects((await listener.accept()).connected(), alert);
        await client.stop();
      }
    });
  });

  it('refuses renegotiation by a warning', async () => {
    await withListener({ clientRenegotiation: false }, async (listener) => {
      const client = new Program('openssl', [
        ...['s_client', '-connect', `127.0.0.1:${listener.port}`, '-tls1_2'],
        ...['-CAfile', authority().certFile],
      ]);
      const connection = await listener.accept();
      await connection.connected();
      client.write('R\n');
      // OpenSSL does not take no for an answer: it ends the connection, which the engine kept up.
      await connection.closed();
      const alerts = connection.events.flatMap((event) =>
        event.type === 'alert' ? [`${event.direction} ${event.level} ${event.description}`] : [],
      );
      assert.deepEqual(alerts, [
        'sent warning no_renegotiation',
        'received fatal handshake_failure',
      ]);
      await client.stop();
    });
  });
});

const GNUTLS = { 'tlsv1.2': 'VERS-TLS1.2', 'tlsv1.3': 'VERS-TLS1.3' } as const;

describe('the engine and GnuTLS', () => {
  for (const version of versions) {
    for (const kind of kinds) {
      it(`client of gnutls-serv, ${version} with ${kind}`, async () => {
        const { certFile, keyFile } = leaf(kind);
        const port = await freePort();
        const program = new Program('gnutls-serv', [
          ...[
            '--echo',
            '--port',
            String(port),
            '--x509certfile',
            certFile,
            '--x509keyfile',
            keyFile,
          ],
          ...['--priority', `NORMAL:-VERS-ALL:+${GNUTLS[version]}`, '--disable-client-cert'],
        ]);
        await program.printed(/listening on IPv4 [^\n]*done/);
        const connection = await connectEngine(clientConfig(), port);
        const info = await connection.connected();
        assert.equal(info.version, version);
        connection.send(Buffer.from('echo me\n'));
        assert.equal((await connection.receive(8)).toString(), 'echo me\n');
        connection.close();
        await program.stop();
      });

      it(`server of gnutls-cli, ${version} with ${kind}`, async () => {
        await withListener({ credentials: [leaf(kind).credential] }, async (listener) => {
          const client = new Program('gnutls-cli', [
            ...['--port', String(listener.port), '--x509cafile', authority().certFile],
            ...['--priority', `NORMAL:-VERS-ALL:+${GNUTLS[version]}`],
            ...[
              '--sni-hostname',
              'server.example',
              '--verify-hostname',
              'server.example',
              '127.0.0.1',
            ],
          ]);
          const { info } = await exchangeWithClient(listener, client);
          assert.equal(info.version, version);
          await client.stop();
        });
      });
    }
  }

  it('server of gnutls-cli without extended_master_secret', async () => {
    await withListener({}, async (listener) => {
      const client = new Program('gnutls-cli', [
        ...['--port', String(listener.port), '--x509cafile', authority().certFile],
        ...['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH'],
        ...['--sni-hostname', 'server.example', '--verify-hostname', 'server.example', '127.0.0.1'],
      ]);
      const { info } = await exchangeWithClient(listener, client);
      assert.equal(info.extendedMasterSecret, false);
      await client.stop();
    });
  });
});
