/**
 * What TLS 1.3 has beyond a plain handshake, against OpenSSL's and GnuTLS's command line programs in both
 * roles: resumption, early data, keys from outside, late certificates, KeyUpdate, stapling, sizes of records.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { secretFrom, systemEntropy } from '../../src/ssl/crypto/index.ts';
import type { EngineConfig } from '../../src/ssl/tls/config.ts';
import type { Session } from '../../src/ssl/tls/events.ts';
import { bloomPresets, ReplayGuard } from '../../src/ssl/tls/session/replay_guard13.ts';
import { StatefulTickets } from '../../src/ssl/tls/session/stateful_tickets13.ts';
import { StatelessTickets } from '../../src/ssl/tls/session/stateless_tickets13.ts';
import type { TicketKeeper } from '../../src/ssl/tls/session/ticket_keeper13.ts';
import { connectEngine, EngineListener, type TcpEngine } from '../support/engine_over_tcp.ts';
import { clientConfig, serverConfig, suite } from '../support/engine_pair.ts';
import { authority, leaf } from '../support/engine_pki.ts';
import { freePort, Program } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'engine_tls13_'));
after(() => rmSync(folder, { recursive: true, force: true }));

const versions = ['tlsv1.3'] as const;
const { certFile, keyFile } = leaf('secp256r1');
const [EARLY, PSK] = ['early in the morning\n', '00112233445566778899aabbccddeeff'];
const externalPsks = [
  { identity: Buffer.from('test_user'), key: secretFrom(Buffer.from(PSK, 'hex')), hash: 'sha256' },
] as const;

const earlyFile = join(folder, 'early.txt');
writeFileSync(earlyFile, EARLY);

/** An OCSP response of the test authority for its leaf. */
function ocspFile(): string {
  const file = join(folder, 'response.der');
  const run = (...args: readonly string[]): Buffer =>
    execFileSync('openssl', [...args], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const serial = run('x509', '-in', certFile, '-noout', '-serial').toString().trim().split('=')[1];
  writeFileSync(
    join(folder, 'index.txt'),
    `V\t391231235959Z\t\t${serial}\tunknown\t/CN=server.example\n`,
  );
  const ca = authority().certFile;
  run('ocsp', '-issuer', ca, '-cert', certFile, '-reqout', 'request.der', '-no_nonce');
  run(
    ...['ocsp', '-index', 'index.txt', '-rsigner', ca, '-rkey', join(dirname(ca), 'ca.key')],
    ...['-CA', ca, '-reqin', 'request.der', '-respout', file, '-ndays', '1'],
  );
  return file;
}

const keepers: Readonly<Record<string, () => TicketKeeper>> = {
  stateful: () => new StatefulTickets({ entropy: systemEntropy }),
  stateless: () =>
    new StatelessTickets({
      entropy: systemEntropy,
      seed: Buffer.from('a seed of several nodes'),
      replayGuard: new ReplayGuard(bloomPresets['10k']),
    }),
};

async function withListener(
  changes: Partial<EngineConfig>,
  run: (listener: EngineListener) => Promise<void>,
): Promise<void> {
  const listener = await EngineListener.listen(() => serverConfig({ versions, ...changes }));
  try {
    await run(listener);
  } finally {
    listener.close();
  }
}

const opensslClient = (port: number, ...args: readonly string[]): Program =>
  new Program('openssl', [
    ...['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', authority().certFile],
    ...['-servername', 'server.example', '-tls1_3', ...args],
  ]);

const gnutlsClient = (port: number, ...args: readonly string[]): Program =>
  new Program('gnutls-cli', [
    ...['--port', String(port), '--x509cafile', authority().certFile],
    ...['--sni-hostname', 'server.example', '--verify-hostname', 'server.example'],
    ...(args.includes('--priority') ? [] : ['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3']),
    ...[...args, '127.0.0.1'],
  ]);

/** Lines both ways with a client's program. */
async function talk(connection: TcpEngine, client: Program, received = ''): Promise<void> {
  await connection.connected();
  const line = 'from the client\n';
  client.write(line);
  const bytes = await connection.receive(received.length + line.length);
  assert.equal(bytes.toString(), received + line);
  connection.send(Buffer.from('from the engine\n'));
  await client.printed(/from the engine/);
}

async function opensslServer(...args: readonly string[]) {
  const port = await freePort();
  const program = new Program('openssl', [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-tls1_3', ...args],
    ...(args.includes('-nocert') ? [] : ['-cert', certFile, '-key', keyFile]),
  ]);
  await program.printed(/ACCEPT/);
  return { port, program };
}

async function gnutlsServer(...args: readonly string[]) {
  const port = await freePort();
  const program = new Program('gnutls-serv', [
    ...['--echo', '--port', String(port), '--x509certfile', certFile, '--x509keyfile', keyFile],
    ...(args.includes('--priority') ? [] : ['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3']),
    ...args,
  ]);
  await program.printed(/listening on IPv4 [^\n]*done/);
  return { port, program };
}

/** A connection of the engine whose line the server's program prints. */
async function visit(
  config: Partial<EngineConfig>,
  port: number,
  program: Program,
): Promise<TcpEngine> {
  const connection = await connectEngine(clientConfig({ versions, ...config }), port);
  await connection.connected();
  program.forget();
  connection.send(Buffer.from('from the engine\n'));
  await program.printed(/from the engine/);
  return connection;
}

/** As `visit`, with a server that sends back what it gets. */
async function echo(config: Partial<EngineConfig>, port: number): Promise<TcpEngine> {
  const connection = await connectEngine(clientConfig({ versions, ...config }), port);
  await connection.connected();
  connection.send(Buffer.from('echo me\n'));
  assert.match((await connection.receive(8)).toString(), /echo me\n$/);
  return connection;
}

async function sessionFrom(connection: TcpEngine): Promise<Session> {
  const { session } = await connection.happened('new_session');
  connection.close();
  return session;
}

const earlyResult = (connection: TcpEngine): string | undefined =>
  connection.events.find((event) => event.type === 'early_data')?.result;

describe('the engine as server of openssl s_client', () => {
  for (const [kind, make] of Object.entries(keepers)) {
    it(`${kind} tickets: resumption, then early data twice with one ticket`, async () => {
      const file = join(folder, `${kind}.session`);
      await withListener({ ticketKeeper: make(), maxEarlyDataSize: 1000 }, async (listener) => {
        let client = opensslClient(listener.port, '-sess_out', file);
        await talk(await listener.accept(), client);
        await client.stop();

        client = opensslClient(listener.port, '-sess_in', file, '-sess_out', file);
        let connection = await listener.accept();
        await talk(connection, client);
        assert.equal(connection.engine.info?.resumed, true);
        await client.printed(/Reused, TLSv1\.3/);
        await client.stop();

        client = opensslClient(listener.port, '-sess_in', file, '-early_data', earlyFile);
        connection = await listener.accept();
        await talk(connection, client, EARLY);
        assert.equal(earlyResult(connection), 'accepted');
        await client.printed(/Early data was accepted/);
        await client.stop();

        client = opensslClient(listener.port, '-sess_in', file, '-early_data', earlyFile);
        connection = await listener.accept();
        // A ticket of the store is used up; one without a store is good for another hello.
        const usedUp = kind === 'stateful';
        await talk(connection, client, usedUp ? '' : EARLY);
        assert.equal(earlyResult(connection), usedUp ? 'rejected' : 'accepted');
        await client.printed(usedUp ? /Early data was rejected/ : /Early data was accepted/);
        await client.stop();
      });
    });
  }

  it('early data that is not taken, with and without a HelloRetryRequest', async () => {
    const file = join(folder, 'refused.session');
    const ticketKeeper = keepers.stateless?.();
    await withListener({ ticketKeeper, maxEarlyDataSize: 1000 }, async (listener) => {
      const client = opensslClient(listener.port, '-sess_out', file);
      await talk(await listener.accept(), client);
      await client.stop();
    });
    for (const changes of [
      { maxEarlyDataSize: 0 },
      { maxEarlyDataSize: 1000, groups: ['x448'] as const },
    ]) {
      await withListener({ ticketKeeper, ...changes }, async (listener) => {
        const client = opensslClient(listener.port, '-sess_in', file, '-early_data', earlyFile);
        const connection = await listener.accept();
        await talk(connection, client);
        assert.equal(connection.engine.info?.resumed, true);
        assert.equal(earlyResult(connection), 'rejected');
        await client.printed(/Early data was rejected/);
        await client.stop();
      });
    }
  });

  for (const [name, pskModes, args] of [
    ['with (EC)DHE', ['psk_dhe_ke'], []],
    ['alone', ['psk_ke'], ['-allow_no_dhe_kex']],
  ] as const) {
    it(`a key from outside, ${name}`, async () => {
      await withListener({ externalPsks, pskModes, credentials: [] }, async (listener) => {
        const client = opensslClient(
          listener.port,
          ...['-psk_identity', 'test_user', '-psk', PSK, ...args],
        );
        const connection = await listener.accept();
        await talk(connection, client);
        const { pskIdentity, group } = connection.engine.info ?? {};
        assert.equal(Buffer.from(pskIdentity ?? []).toString(), 'test_user');
        assert.equal(group, pskModes[0] === 'psk_ke' ? undefined : 'x25519');
        await client.stop();
      });
    });
  }

  it('a certificate asked for after the handshake', async () => {
    const changes = {
      verify: 'peer',
      trust: clientConfig().trust,
      failIfNoPeerCert: true,
    } as const;
    await withListener({ ...changes, asksForCertificate: 'on_request' }, async (listener) => {
      const client = opensslClient(
        listener.port,
        ...['-enable_pha', '-cert', leaf('rsa').certFile, '-key', leaf('rsa').keyFile],
      );
      const connection = await listener.accept();
      await talk(connection, client);
      connection.requestCertificate();
      const { chain } = await connection.happened('peer_certificate');
      assert.deepEqual(Buffer.from(chain[0] ?? []), leaf('rsa').credential.chain[0]);
      await talk(connection, client);
      await client.stop();
    });
  });

  it('KeyUpdate by both sides', async () => {
    await withListener({}, async (listener) => {
      const client = opensslClient(listener.port);
      const connection = await listener.accept();
      await talk(connection, client);
      for (const command of ['K\n', 'k\n']) {
        client.forget();
        client.write(command);
        await client.printed(/KEYUPDATE/);
        await talk(connection, client);
      }
      connection.updateKeys(true);
      client.forget();
      await talk(connection, client);
      await client.stop();
    });
  });

  it('a stapled OCSP response', async () => {
    const ocspResponse = readFileSync(ocspFile());
    await withListener({ ocspResponse }, async (listener) => {
      const client = opensslClient(listener.port, '-status');
      await talk(await listener.accept(), client);
      await client.printed(/OCSP Response Status: successful[\s\S]*Cert Status: good/);
      await client.stop();
    });
  });

  for (const args of [
    ['-record_padding', '512'],
    ['-max_send_frag', '512'],
    ['-maxfraglen', '1024'],
    ['-no_middlebox'],
  ]) {
    it(`${args.join(' ')}, and records padded by the engine`, async () => {
      await withListener({ recordPadding: 300 }, async (listener) => {
        const client = opensslClient(listener.port, ...args);
        const connection = await listener.accept();
        await talk(connection, client);
        const text = 'x'.repeat(5000);
        client.forget();
        connection.send(Buffer.from(`${text}\n`));
        await client.printed(new RegExp(text));
        await client.stop();
      });
    });
  }
});

describe('the engine as client of openssl s_server', () => {
  for (const args of [[], ['-no_middlebox'], ['-groups', 'P-384'], ['-no_ticket']]) {
    it(`resumption ${args.join(' ')}`, async () => {
      const { port, program } = await opensslServer(...args);
      const session = await sessionFrom(await visit({}, port, program));
      for (const middleboxCompatMode of [true, false]) {
        const tickets = middleboxCompatMode
          ? [session]
          : [await sessionFrom(await visit({}, port, program))];
        const connection = await visit({ tickets, middleboxCompatMode }, port, program);
        const info = await connection.connected();
        assert.equal(info.resumed, true);
        assert.deepEqual(info.peerChain, session.peerChain);
        connection.close();
      }
      await program.stop();
    });
  }

  it('early data, accepted once and then rejected', async () => {
    const { port, program } = await opensslServer('-early_data', '-max_early_data', '4096');
    const session = await sessionFrom(await visit({}, port, program));
    assert.equal(session.maxEarlyDataSize, 4096);
    const config = { tickets: [session], earlyData: Buffer.from(EARLY) };
    program.forget();
    let connection = await connectEngine(clientConfig({ versions, ...config }), port);
    assert.equal((await connection.connected()).resumed, true);
    assert.equal(earlyResult(connection), 'accepted');
    await program.printed(/Early data received/);
    await program.printed(/early in the morning/);
    connection.close();
    // The server's tickets are good for one use.
    connection = await visit(config, port, program);
    assert.equal(earlyResult(connection), 'rejected');
    connection.close();
    await program.stop();
  });

  it('early data that meets a HelloRetryRequest', async () => {
    const { port, program } = await opensslServer(
      ...['-early_data', '-max_early_data', '4096', '-groups', 'P-521'],
    );
    const session = await sessionFrom(await visit({}, port, program));
    const config = { tickets: [session], earlyData: Buffer.from(EARLY) };
    const connection = await visit(config, port, program);
    assert.equal(earlyResult(connection), 'rejected');
    connection.close();
    await program.stop();
  });

  for (const [name, pskModes, args] of [
    ['with (EC)DHE', ['psk_dhe_ke'], []],
    ['alone', ['psk_ke'], ['-allow_no_dhe_kex']],
    ['after a HelloRetryRequest', ['psk_dhe_ke'], ['-groups', 'P-521']],
  ] as const) {
    it(`a key from outside, ${name}`, async () => {
      const { port, program } = await opensslServer(
        ...['-nocert', '-psk_identity', 'test_user', '-psk', PSK, ...args],
      );
      const cipherSuites = [suite('TLS_AES_128_GCM_SHA256')];
      const connection = await visit({ externalPsks, pskModes, cipherSuites }, port, program);
      const info = await connection.connected();
      assert.equal(Buffer.from(info.pskIdentity ?? []).toString(), 'test_user');
      assert.equal(info.group === undefined, name === 'alone');
      connection.close();
      await program.stop();
    });
  }

  it('a certificate asked for after the handshake', async () => {
    const { port, program } = await opensslServer('-CAfile', authority().certFile);
    const config = { postHandshakeAuth: true, credentials: [leaf('ed25519').credential] };
    const connection = await visit(config, port, program);
    program.write('c\n');
    await program.printed(/depth=0 CN = server\.example/);
    connection.send(Buffer.from('and on\n'));
    await program.printed(/and on/);
    connection.close();
    await program.stop();
  });

  it('KeyUpdate by both sides', async () => {
    const { port, program } = await opensslServer();
    const connection = await visit({}, port, program);
    for (const command of ['K', 'k']) {
      program.write(`${command}\n`);
      // What it reads along with a command is lost.
      await setTimeout(300);
      program.write('typed\n');
      assert.match((await connection.receive(6)).toString(), /typed/);
      connection.updateKeys(command === 'K');
      connection.send(Buffer.from(`after ${command}\n`));
      await program.printed(new RegExp(`after ${command}`));
    }
    connection.close();
    await program.stop();
  });

  it('a stapled OCSP response', async () => {
    const file = ocspFile();
    const { port, program } = await opensslServer('-status_file', file);
    const connection = await visit({ stapling: true }, port, program);
    const { ocspResponse } = await connection.connected();
    assert.deepEqual(Buffer.from(ocspResponse ?? []), readFileSync(file));
    connection.close();
    await program.stop();
  });

  it('maximum fragment length and padded records', async () => {
    const { port, program } = await opensslServer('-record_padding', '700');
    const connection = await visit({ maxFragmentLength: 1024 }, port, program);
    const text = 'y'.repeat(5000);
    program.write(`${text}\n`);
    assert.equal((await connection.receive(5001)).toString(), `${text}\n`);
    connection.close();
    await program.stop();
  });
});

describe('the engine as server of gnutls-cli', () => {
  for (const [kind, make] of Object.entries(keepers)) {
    it(`${kind} tickets: resumption`, async () => {
      await withListener({ ticketKeeper: make() }, async (listener) => {
        const client = gnutlsClient(listener.port, '--resume');
        const first = await listener.accept();
        await first.connected();
        const second = await listener.accept();
        await talk(second, client);
        assert.equal(second.engine.info?.resumed, true);
        await client.printed(/This is a resumed session/);
        await client.stop();
      });
    });

    it(`${kind} tickets: early data`, async () => {
      await withListener({ ticketKeeper: make(), maxEarlyDataSize: 1000 }, async (listener) => {
        const client = gnutlsClient(listener.port, '--resume', '--earlydata', earlyFile);
        await (await listener.accept()).connected();
        const second = await listener.accept();
        await talk(second, client, EARLY);
        assert.equal(earlyResult(second), 'accepted');
        await client.stop();
      });
    });
  }

  it('a certificate asked for after the handshake', async () => {
    const changes = {
      verify: 'peer',
      trust: clientConfig().trust,
      failIfNoPeerCert: true,
    } as const;
    await withListener({ ...changes, asksForCertificate: 'on_request' }, async (listener) => {
      const client = gnutlsClient(
        listener.port,
        ...['--post-handshake-auth', '--x509certfile', leaf('rsa').certFile],
        ...['--x509keyfile', leaf('rsa').keyFile],
      );
      const connection = await listener.accept();
      await talk(connection, client);
      connection.requestCertificate();
      const { chain } = await connection.happened('peer_certificate');
      assert.deepEqual(Buffer.from(chain[0] ?? []), leaf('rsa').credential.chain[0]);
      await talk(connection, client);
      await client.stop();
    });
  });

  it('a key from outside', async () => {
    await withListener({ externalPsks, credentials: [] }, async (listener) => {
      const client = gnutlsClient(
        listener.port,
        ...['--pskusername', 'test_user', '--pskkey', PSK],
        ...['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK'],
      );
      const connection = await listener.accept();
      await talk(connection, client);
      assert.equal(Buffer.from(connection.engine.info?.pskIdentity ?? []).toString(), 'test_user');
      await client.stop();
    });
  });

  it('limits of records', async () => {
    await withListener({ recordSizeLimit: 1000 }, async (listener) => {
      const client = gnutlsClient(listener.port, '--recordsize', '600', '-d', '4');
      const connection = await listener.accept();
      await talk(connection, client);
      client.forget();
      connection.send(Buffer.from(`${'z'.repeat(3000)}\n`));
      await client.printed(/z{400}/);
      await client.stop();
    });
  });

  it('a stapled OCSP response', async () => {
    const ocspResponse = readFileSync(ocspFile());
    await withListener({ ocspResponse }, async (listener) => {
      const client = gnutlsClient(listener.port, '--ocsp');
      await talk(await listener.accept(), client);
      await client.printed(/OCSP status request/);
      await client.stop();
    });
  });
});

describe('the engine as client of gnutls-serv', () => {
  it('resumption, early data accepted', async () => {
    const { port, program } = await gnutlsServer(
      '--earlydata',
      '--maxearlydata',
      '1000',
      '--disable-client-cert',
    );
    const session = await sessionFrom(await echo({}, port));
    assert.equal(session.maxEarlyDataSize, 1000);
    const connection = await echo({ tickets: [session], earlyData: Buffer.from(EARLY) }, port);
    assert.equal((await connection.connected()).resumed, true);
    assert.equal(earlyResult(connection), 'accepted');
    connection.close();
    await program.stop();
  });

  it('a key from outside', async () => {
    const file = join(folder, 'psk.txt');
    writeFileSync(file, `test_user:${PSK}\n`);
    const { port, program } = await gnutlsServer(
      ...['--pskpasswd', file, '--disable-client-cert'],
      ...['--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3:+ECDHE-PSK:+PSK'],
    );
    for (const pskModes of [['psk_dhe_ke'], ['psk_ke']] as const) {
      const connection = await echo({ externalPsks, pskModes }, port);
      const info = await connection.connected();
      assert.equal(Buffer.from(info.pskIdentity ?? []).toString(), 'test_user');
      assert.equal(info.group === undefined, pskModes[0] === 'psk_ke');
      connection.close();
    }
    await program.stop();
  });

  it('limits of records', async () => {
    const { port, program } = await gnutlsServer('--recordsize', '700', '--disable-client-cert');
    const connection = await echo({ recordSizeLimit: 600 }, port);
    const text = Buffer.from(`${'v'.repeat(2000)}\n`);
    connection.send(text);
    assert.deepEqual(await connection.receive(2001), text);
    connection.close();
    await program.stop();
  });

  it('a stapled OCSP response', async () => {
    const file = ocspFile();
    const { port, program } = await gnutlsServer('--ocsp-response', file, '--disable-client-cert');
    const connection = await echo({ stapling: true }, port);
    const { ocspResponse } = await connection.connected();
    assert.deepEqual(Buffer.from(ocspResponse ?? []), readFileSync(file));
    connection.close();
    await program.stop();
  });
});
