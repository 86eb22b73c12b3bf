/**
 * A live account of one connection's handshakes: every message decoded, each choice with its reasons, changes of
 * keys, alerts and questions, with the time. It reads along: messages are decoded once more from their bytes, so
 * that the flows know nothing of it, and a connection that is not traced pays one comparison a message.
 *
 * A step is a map of `time` (microseconds since the trace began), `direction` (`sent`, `received` or `local`),
 * `kind`, `name` and `fields` (a list of pairs, in the order of the wire). Secrets are in none of them.
 */

import type { Value } from '../../value.ts';
import type { AlertEvent, ClosedEvent, ConnectionInfo, Question } from '../events.ts';
import { cipherSuiteFromCode } from '../iana/cipher_suites.ts';
import { groupFromCode } from '../iana/groups.ts';
import { signatureSchemeFromCode } from '../iana/signature_schemes.ts';
import { type ProtocolVersion, versionFromCode } from '../iana/versions.ts';
import {
  type HandshakeFrame,
  type HandshakeMessage,
  readHandshakeTls12,
  readHandshakeTls13,
} from '../messages/handshake.ts';
import type { ServerHello } from '../messages/server_hello.ts';
import type { Choices, Chosen } from './choices.ts';
import { type Subject, tellSubject } from './explain.ts';
import { type Field, messageFields } from './message_fields.ts';

/** Whose doing a step is. */
export type Direction = 'sent' | 'received' | 'local';

/** What a trace asks the engine when a choice is made. */
export type ChoicesNow = () => Choices;

const NO_ID = new Uint8Array(0);

const NOTHING: Chosen = {
  version: undefined,
  cipherSuite: undefined,
  group: undefined,
  scheme: undefined,
  certificate: undefined,
  alpn: undefined,
  resumed: false,
};

/** Which choice came to nothing, by the reason of the fault (`PeerIncompatible`). */
const FAILED_CHOICES: Readonly<Record<string, readonly Subject[]>> = {
  no_shared_version: [],
  inappropriate_fallback: [],
  no_shared_cipher_suite: ['cipher_suite'],
  no_shared_group: ['group'],
  no_shared_signature_scheme: ['certificate', 'signature_scheme'],
  no_acceptable_chain: ['certificate', 'signature_scheme'],
  no_suitable_certificate: ['certificate'],
  no_application_protocol: ['alpn'],
};

/** One connection's trace. */
export class HandshakeTrace {
  readonly #choices: ChoicesNow;
  readonly #now: () => number;
  readonly #emit: (step: Value) => void;
  readonly #begun: number;
  #chosen: Chosen = NOTHING;
  #told = new Set<Subject>();
  #established: boolean;
  #closed = false;
  #sessionId: Uint8Array | undefined;

  /**
   * @param choices - configuration, offer and what is agreed, as the engine has them
   * @param now - a clock in microseconds
   * @param emit - takes each step
   */
  constructor(choices: ChoicesNow, now: () => number, emit: (step: Value) => void) {
    this.#choices = choices;
    this.#now = now;
    this.#emit = emit;
    this.#begun = now();
    this.#chosen = choices().chosen;
    this.#established = this.#chosen.cipherSuite !== undefined;
  }

  /** A handshake message, whole. */
  message(direction: 'sent' | 'received', frame: HandshakeFrame): void {
    this.#safely(() => this.#takeMessage(direction, frame));
  }

  #takeMessage(direction: 'sent' | 'received', frame: HandshakeFrame): void {
    const message = this.#read(frame);
    const tell = (): void => {
      const fields = message === undefined ? [] : messageFields(message);
      const name = message?.msgType ?? frame.type;
      const size: readonly Field[] = [['size', frame.bytes.length]];
      const rest: readonly Field[] = message === undefined ? [['undecodable', true]] : fields;
      this.#step(direction, 'handshake', name, [...size, ...rest]);
    };
    // The choice stands before the message that tells of it, where it is the own one.
    if (direction === 'received') tell();
    if (message !== undefined) this.#follow(direction, message);
    if (direction === 'sent') tell();
  }

  changeCipherSpec(direction: 'sent' | 'received'): void {
    this.#step(direction, 'change_cipher_spec', 'change_cipher_spec', []);
  }

  /** New keys protect what comes next in this direction. */
  keys(direction: 'sent' | 'received'): void {
    this.#step(direction, 'keys', 'new_keys', []);
  }

  alert(event: AlertEvent): void {
    const { direction, level, description, code, state, reason } = event;
    if (level === 'fatal' && direction === 'sent') {
      this.#safely(() => this.#decideWhatStands(event.origin));
    }
    const why: readonly Field[] = reason === '' ? [] : [['reason', { text: reason }]];
    this.#step(direction, 'alert', description, [
      ['level', level],
      ['code', code],
      ['state', { text: state }],
      ...why,
    ]);
  }

  /** The handshake waits for the program. */
  question({ kind }: Question): void {
    this.#step('local', 'question', kind, []);
  }

  answered(): void {
    this.#step('local', 'question', 'answered', []);
  }

  established({ version, cipherSuite, resumed }: ConnectionInfo, again: boolean): void {
    this.#established = true;
    this.#step('local', again ? 'renegotiated' : 'established', 'connected', [
      ['version', version],
      ['cipher_suite', { text: cipherSuite.name }],
      ['resumed', resumed],
    ]);
  }

  /** The last step: of what still comes nothing is told. */
  closed(how: ClosedEvent['how']): void {
    this.#step('local', 'closed', how, []);
    this.#closed = true;
  }

  /** Whoever looks on must not hurt what is looked at: a fault of the account stays in the account. */
  #safely(account: () => void): void {
    try {
      account();
    } catch (error) {
      this.#step('local', 'untold', 'untold', [['reason', { text: String(error).slice(0, 200) }]]);
    }
  }

  #step(direction: Direction, kind: string, name: string, fields: readonly Field[]): void {
    if (this.#closed) return;
    this.#emit({
      map: [
        ['time', Math.max(0, Math.round(this.#now() - this.#begun))],
        ['direction', direction],
        ['kind', kind],
        ['name', name],
        ['fields', { list: fields }],
      ],
    });
  }

  /** A message that does not read is the flow's to refuse: here it only stays undecoded. */
  #read(frame: HandshakeFrame): HandshakeMessage | undefined {
    const { version = 'tlsv1.3', cipherSuite } = this.#chosen;
    try {
      return version === 'tlsv1.3'
        ? readHandshakeTls13(frame, { version })
        : readHandshakeTls12(frame, { version, keyExchange: cipherSuite?.keyExchange });
    } catch {
      return undefined;
    }
  }

  /** Takes in what a message decides. */
  #follow(direction: 'sent' | 'received', message: HandshakeMessage): void {
    const own = direction === 'sent';
    switch (message.msgType) {
      case 'client_hello':
        // The second hello of one handshake changes nothing.
        if (this.#chosen.version !== undefined && !this.#established) break;
        this.#chosen = NOTHING;
        this.#told = new Set();
        this.#established = false;
        this.#sessionId = message.legacySessionId;
        break;
      case 'hello_retry_request':
        this.#choose({ version: 'tlsv1.3', cipherSuite: cipherSuiteFromCode(message.cipherSuite) });
        if (message.extensions.key_share !== undefined) {
          this.#choose({ group: groupFromCode(message.extensions.key_share) });
        }
        break;
      case 'server_hello':
        this.#takeServerHello(message);
        break;
      case 'encrypted_extensions':
        this.#choose({ alpn: message.extensions.application_layer_protocol_negotiation });
        this.#decide('alpn');
        break;
      case 'server_key_exchange':
        if (message.params?.kind === 'ecdhe') {
          this.#choose({ group: groupFromCode(message.params.group) });
          this.#decide('group');
        }
        if (own && message.signed !== undefined) this.#sign(message.signed.algorithm);
        break;
      case 'certificate':
        if (!own) break;
        this.#choose({ certificate: message.certificateList[0]?.certData });
        this.#decide('certificate');
        break;
      case 'compressed_certificate':
        if (!own) break;
        this.#choose({ certificate: this.#choices().chosen.certificate });
        break;
      case 'certificate_verify':
        if (own) this.#sign(message.algorithm);
        break;
    }
  }

  #takeServerHello(hello: ServerHello): void {
    const cipherSuite = cipherSuiteFromCode(hello.cipherSuite);
    const version: ProtocolVersion | undefined =
      hello.form === 'tls13' ? 'tlsv1.3' : versionFromCode(hello.legacyVersion);
    this.#choose({ version, cipherSuite });
    if (hello.form === 'tls13') {
      const { key_share: share, pre_shared_key: psk } = hello.extensions;
      this.#choose({ resumed: psk !== undefined, group: share && groupFromCode(share.group) });
    } else {
      const { legacySessionIdEcho: id } = hello;
      // RFC 5246 §7.3: a server that resumes names the session of the ClientHello
      const resumed = id.length > 0 && Buffer.compare(id, this.#sessionId ?? NO_ID) === 0;
      this.#choose({ resumed, alpn: hello.extensions.application_layer_protocol_negotiation });
    }
    this.#decide('version', 'resumption', 'cipher_suite');
    if (version === 'tlsv1.3') this.#decide('group');
    else this.#decide('alpn');
  }

  #sign(algorithm: number | undefined): void {
    if (algorithm === undefined) return;
    this.#choose({ scheme: signatureSchemeFromCode(algorithm) });
    this.#decide('signature_scheme');
  }

  #choose(change: Partial<Chosen>): void {
    this.#chosen = { ...this.#chosen, ...change };
  }

  /** What a handshake that fails has not come to say: how the choice went that failed, and the version. */
  #decideWhatStands(origin: string): void {
    const failed = FAILED_CHOICES[origin.slice(origin.indexOf(':') + 1)];
    if (failed === undefined) return;
    const { version } = this.#choices().chosen;
    if (this.#chosen.version === undefined) this.#choose({ version });
    const subjects: readonly Subject[] = ['version', ...failed];
    this.#decide(...subjects.filter((subject) => !this.#told.has(subject)));
  }

  #decide(...decided: readonly Subject[]): void {
    const choices: Choices = { ...this.#choices(), chosen: this.#chosen };
    for (const subject of decided) {
      this.#told.add(subject);
      this.#step('local', 'decision', subject, tellSubject(subject, choices));
    }
  }
}
