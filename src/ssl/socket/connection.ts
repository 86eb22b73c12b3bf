/**
 * A TLS connection as `src/port` calls it: receiving, sending, options, shutting down, and what a connection
 * tells of itself. How it comes to be and ends is in `connection_life.ts`.
 */

import { changeTransport, readChanges } from '../options/index.ts';
import type { ConnectionInfo } from '../tls/events.ts';
import type { Value } from '../value.ts';
import type { Cancel, Received, Reply, Result, SocketState, SslSocket, Timeout } from './api.ts';
import type { Channel } from './channel.ts';
import { ConnectionLife } from './connection_life.ts';
import { nothing } from './handshake_wait.ts';
import { tellConnection } from './information.ts';
import { channelBinding, exportKeyMaterials, prf } from './key_material.ts';
import { RECORD_SIZE } from './outbox.ts';
import { changeSocket, tellCounters, tellOptions } from './settings.ts';
import { type Endpoint, endpointValue } from './transport/transport.ts';

/** One connection, client or server. */
export class TlsConnection extends ConnectionLife implements SslSocket {
  readonly kind = 'connection';
  #exportersConsumed = false;

  // Receiving.

  recv(length: number, timeout: Timeout, reply: Reply<Received>): Cancel {
    const refused = this.refusal();
    if (refused !== undefined) {
      reply({ error: refused });
      return nothing;
    }
    const cancel = this.inbox.recv(length, timeout, reply);
    this.regulate();
    return cancel;
  }

  // Sending.

  send(bytes: Uint8Array): void {
    const outbox = this.outbox;
    if (bytes.length === 0 || outbox.failure !== undefined) return;
    outbox.given(bytes.length);
    const open = this.phase === 'open' && this.channel?.canSend === true;
    // `renegotiate_at` counts the records, so there each send is one of its own.
    const apart = this.options.values.renegotiate_at !== undefined;
    if (open && (apart || outbox.kept + bytes.length >= RECORD_SIZE)) {
      this.channel?.send(bytes);
      return;
    }
    outbox.keep(bytes);
    if (open && outbox.kept === bytes.length) {
      // Small sends of one turn share a record, and their ciphertext a write.
      this.clock.soon(() => this.channel?.send());
    }
  }

  flush(reply: Reply): Cancel {
    const { sendTimeout, sendTimeoutClose } = this.transportOptions;
    return this.outbox.flush(
      sendTimeout,
      () => {
        if (!sendTimeoutClose || this.phase !== 'open') return;
        this.inbox.finish('closed');
        this.wire.letGo();
        this.die();
        this.inbox.pump();
      },
      reply,
    );
  }

  // Options.

  setopts(options: unknown, reply: Reply<SocketState>): void {
    const refused = this.refusal() ?? this.inbox.takeEnd();
    if (refused !== undefined) {
      reply({ error: refused });
      return;
    }
    const changes = readChanges(options, this.context.reader);
    const { active, settings } = this.inbox;
    const changed = changeSocket({ ...settings, active }, changes);
    const { active: nowActive, ...shape } = changed.socket;
    if (changes.emulated.some(([field]) => field === 'packet' || field === 'packetSize')) {
      this.inbox.reframe();
    }
    Object.assign(settings, shape);
    this.inbox.activate(nowActive);
    this.transportOptions = changeTransport(this.transportOptions, changes.transport);
    for (const [name, value] of changes.transport) {
      if (typeof value === 'boolean') this.wire.setOption(name, value);
    }
    const { error, expired } = changed;
    reply(error === undefined ? { ok: this.state } : { error });
    if (expired) this.observer.passive();
    this.inbox.pump();
    this.regulate();
  }

  getopts(names: unknown): Result<Value> {
    const refused = this.refusal() ?? (this.inbox.over ? 'closed' : undefined);
    if (refused !== undefined) return { error: refused };
    const { active, settings } = this.inbox;
    return tellOptions(
      names,
      { ...settings, active },
      this.transportOptions,
      (asked) => [...asked].reverse(),
      this.context.reader,
    );
  }

  // Ending.

  takeRest(): Result<Value> {
    const rest = this.restOfTunnel();
    return rest === undefined ? { error: 'closed' } : { ok: Buffer.concat(rest) };
  }

  shutdown(how: unknown, reply: Reply): void {
    const direction = this.context.reader.atom(how);
    const refused = this.refusal() ?? (this.phase === 'open' ? undefined : 'closed');
    if (refused !== undefined) {
      reply({ error: refused });
    } else if (direction === 'write') {
      this.closeWriting();
      reply({ ok: undefined });
    } else if (direction === 'read') {
      // What came before is still there to be read.
      reply({ ok: undefined });
      if (this.transportOptions.exitOnClose) {
        this.closeWriting();
        this.die();
      } else {
        this.inbox.finish('closed');
      }
      this.inbox.pump();
    } else if (direction === 'read_write') {
      // What came before is still there to be read, and an active owner hears of the end.
      this.closeWriting();
      this.die();
      reply({ ok: undefined });
      this.inbox.pump();
    } else {
      reply({ error: 'einval' });
    }
  }

  // Telling.

  peername(): Result<Value> {
    return this.#endpoint(this.wire.peer);
  }

  sockname(): Result<Value> {
    return this.#endpoint(this.wire.local);
  }

  #endpoint(endpoint: Endpoint | undefined): Result<Value> {
    const over = this.inbox.over || this.phase === 'closing' || this.phase === 'gone';
    if (endpoint === undefined || over) return { error: 'einval' };
    return { ok: endpointValue(endpoint) };
  }

  peercert(): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const [certificate] = info.ok.peerChain;
    return certificate === undefined ? { error: 'no_peercert' } : { ok: certificate };
  }

  peerchain(): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const { peerChain } = info.ok;
    return peerChain.length === 0 ? { error: 'no_peercert' } : { ok: { list: peerChain } };
  }

  negotiatedProtocol(): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const protocol = info.ok.alpn ?? info.ok.nextProtocol;
    return protocol === undefined ? { error: 'protocol_not_negotiated' } : { ok: protocol };
  }

  connectionInformation(items: unknown): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const told = {
      info: info.ok,
      // Where a fun hears it, nobody else is told.
      keyLog: this.options.values.keep_secrets === true ? (this.channel?.keyLog ?? []) : [],
      masterSecret: () => this.channel?.masterSecret,
      session: this.sessions.current,
      options: this.options,
    };
    return tellConnection(items, told, this.context.reader);
  }

  #information(): Result<ConnectionInfo> {
    const refused = this.refusal() ?? (this.inbox.over ? 'closed' : undefined);
    if (refused !== undefined) return { error: refused };
    const info = this.channel?.info;
    return info === undefined ? { error: 'closed' } : { ok: info };
  }

  updateKeys(type: unknown, reply: Reply): void {
    const { reader } = this.context;
    const which = reader.atom(type);
    const refused = this.refusal() ?? (this.phase === 'open' ? undefined : 'closed');
    if (refused !== undefined) {
      reply({ error: refused });
    } else if (which !== 'write' && which !== 'read_write') {
      reply({ error: ['illegal_parameter', { term: type }] });
    } else if (this.channel?.updateKeys(which === 'read_write') === true) {
      reply({ ok: undefined });
      this.pump();
    } else {
      // Only TLS 1.3 can change keys without a handshake.
      reply({ error: 'notsup' });
    }
  }

  getstat(names: unknown): Result<Value> {
    const stats = this.inbox.over ? undefined : this.wire.stats();
    if (stats === undefined) return { error: 'einval' };
    return tellCounters(names, stats, this.context.reader);
  }

  // Additions to a connection that is up.

  renegotiate(reply: Reply): Cancel {
    const asked = this.#onEngine((channel) => channel.use((engine) => engine.renegotiate()));
    return this.#waitFor(this.renegotiating, asked, reply);
  }

  requestCertificate(reply: Reply): Cancel {
    const asked = this.#onEngine((channel) => channel.use((engine) => engine.requestCertificate()));
    return this.#waitFor(this.requesting, asked, reply);
  }

  prf(secret: unknown, label: unknown, seed: unknown, length: unknown): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    const args = { secret, label, seed, length };
    return this.#onEngine((channel) => prf(channel, info.ok, args, this.context.reader));
  }

  exportKeyMaterials(
    labels: unknown,
    contexts: unknown,
    lengths: unknown,
    consume: unknown,
  ): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    if (this.#exportersConsumed) return { error: 'exporter_master_secret_already_consumed' };
    const { reader } = this.context;
    const args = { labels, contexts, lengths };
    const exported = this.#onEngine((channel) => exportKeyMaterials(channel, args, reader));
    // As in OTP, TLS 1.3 alone has a secret of its own for this.
    const consumed = reader.atom(consume) === 'true' && info.ok.version === 'tlsv1.3';
    if ('ok' in exported && consumed) this.#exportersConsumed = true;
    return exported;
  }

  channelBinding(type: unknown): Result<Value> {
    const info = this.#information();
    if ('error' in info) return info;
    return this.#onEngine((channel) => channelBinding(channel, type, this.context.reader));
  }

  #onEngine<T>(call: (channel: Channel) => Result<T>): Result<T> {
    const refused = this.refusal() ?? (this.phase === 'open' ? undefined : 'closed');
    if (refused !== undefined) return { error: refused };
    return this.channel === undefined ? { error: 'closed' } : call(this.channel);
  }

  /** Waits for what the engine will tell, unless it has refused or told it already. */
  #waitFor(waiting: Set<Reply>, asked: Result<void>, reply: Reply): Cancel {
    if ('error' in asked) {
      reply(asked);
      return nothing;
    }
    waiting.add(reply);
    this.pump();
    return () => waiting.delete(reply);
  }
}
