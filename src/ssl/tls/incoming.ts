/**
 * The receiving side of an engine: what records hold goes to the flow as messages, to the owner as data,
 * or ends the connection. The sending side is `outgoing.ts`.
 */

import type { Connection } from './connection.ts';
import { InvalidMessage, PeerMisbehaved } from './faults.ts';
import type { Expected } from './handshake/flow.ts';
import type { AlertDescription } from './iana/alerts.ts';
import type { HandshakeType } from './iana/handshake_types.ts';
import { isAtLeast } from './iana/versions.ts';
import type { Alert } from './messages/alert.ts';
import type { HandshakeFrame } from './messages/handshake.ts';

const NO_BYTES = new Uint8Array(0);

/** What the flow can be told that is no handshake message. */
type Signal = Exclude<Expected, HandshakeType>;

export class Incoming {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Takes in what was received, until a question or the end stops it; throws what is wrong with it. */
  pump(): void {
    const connection = this.#connection;
    while (!connection.readOver && !connection.suspended) {
      const received = connection.read.next();
      if (received === undefined) return;
      switch (received.type) {
        case 'application_data':
          this.#takeData(received.data);
          break;
        case 'handshake':
          this.#takeHandshake(received.frame);
          break;
        case 'alert':
          this.#takeAlert(received.alert);
          break;
        case 'change_cipher_spec':
          this.#takeChangeCipherSpec();
          break;
      }
    }
  }

  /** Tells the flow something that is no message. */
  signal(type: Signal): void {
    this.#connection.runner.deliver({ type, bytes: NO_BYTES, body: NO_BYTES });
  }

  #takeData(data: Uint8Array): void {
    const { unverifiedReads, connected, runner, version, floods, out } = this.#connection;
    // RFC 5246 §7.4.9: nothing is believed under new keys before the Finished
    if (unverifiedReads) throw new PeerMisbehaved('unexpected_message', 'application_data');
    if (!connected) {
      this.#takeEarlyData(data);
      return;
    }
    // RFC 8446 §4.6.2: the messages of an answer come one right behind the other
    if (runner.state !== 'connection' && version === 'tlsv1.3') {
      throw new PeerMisbehaved('unexpected_message', 'application_data');
    }
    // RFC 5246 §6.2.1: an empty record is data all the same, and refused where data would be
    if (data.length === 0) return;
    floods.dataCame();
    out.emitData(data);
  }

  #takeEarlyData(data: Uint8Array): void {
    if (!this.#connection.runner.awaits('end_of_early_data')) {
      throw new PeerMisbehaved('unexpected_message', 'application_data');
    }
    this.#connection.keepEarlyData(data);
  }

  #takeHandshake(frame: HandshakeFrame): void {
    this.#connection.out.trace?.message('received', frame);
    if (frame.type === 'hello_request' && this.#ignoresHelloRequest()) {
      if (frame.body.length > 0) throw new InvalidMessage('trailing_bytes', frame.type);
      this.#connection.floods.countWarning();
      return;
    }
    this.#connection.runner.deliver(frame);
  }

  /** RFC 5246 §7.4.1.1: a HelloRequest is ignored by a client that is negotiating already. */
  #ignoresHelloRequest(): boolean {
    const { role, config, runner, version } = this.#connection;
    if (role !== 'client' || runner.awaits('hello_request')) return false;
    const versions = version === undefined ? config.versions : [version];
    return versions.some((one) => !isAtLeast(one, 'tlsv1.3'));
  }

  #takeChangeCipherSpec(): void {
    const { out, toleratesChangeCipherSpec, floods, runner } = this.#connection;
    out.trace?.changeCipherSpec('received');
    if (toleratesChangeCipherSpec) floods.countDroppedChangeCipherSpec();
    else if (runner.awaits('change_cipher_spec')) this.signal('change_cipher_spec');
    else throw new PeerMisbehaved('unexpected_change_cipher_spec');
  }

  #takeAlert({ level, description: registered, code }: Alert): void {
    const connection = this.#connection;
    const { version, role } = connection;
    const description = registered ?? 'unknown';
    const tls13 = version !== undefined && isAtLeast(version, 'tlsv1.3');
    // RFC 8446 §6: in TLS 1.3 all but these two are errors, whatever their level says
    const closure = description === 'close_notify' || description === 'user_canceled';
    const fatal = description !== 'close_notify' && (level === 'fatal' || (tls13 && !closure));
    connection.emitAlert('received', fatal ? 'fatal' : level, description, code);
    if (description === 'close_notify') connection.endReading('close_notify');
    else if (fatal) {
      connection.out.end();
      connection.finish('alert');
    } else if (!this.#takeAnswer(description)) {
      if (version === undefined && role === 'server' && !closure) {
        throw new PeerMisbehaved('alert_before_hello');
      }
      connection.floods.countWarning();
    }
  }

  /** RFC 5246 §7.2.2, RFC 6101 §5.4.2.2: two warnings stand in the place of a message. */
  #takeAnswer(description: AlertDescription | 'unknown'): boolean {
    const type = description === 'no_certificate_reserved' ? 'no_certificate' : description;
    if (type !== 'no_renegotiation' && type !== 'no_certificate') return false;
    if (!this.#connection.runner.awaits(type)) return false;
    this.signal(type);
    return true;
  }
}
