/**
 * Frames from the BEAM to calls of `src/ssl/socket`, and back (docs/protocol.md).
 *
 * Frames are handled one after the other as they come, and each call is begun before the next frame is
 * looked at: the order of one connection's frames is the order of its calls. An unexpected exception in one
 * call ends that connection, and no other.
 */

import type {
  Adopt,
  Cancel,
  Connect,
  CreateContext,
  CreateTunnel,
  IsTracer,
  Listen,
  ListenTunnel,
  OutputGate,
  Result,
  SocketContext,
  SslListener,
  SslSocket,
  TellOptions,
  TunnelTransport,
} from '../ssl/socket/index.ts';
import type { Value } from '../ssl/value.ts';
import { Answer, internalError } from './answer.ts';
import { decode, EtfError, encode, equals, isAtom, type Term, Tuple } from './etf.ts';
import { EntryEvents, type Outlet, tunnelOutlet } from './events.ts';
import { type FrameSink, maxFrameSize } from './framing.ts';
import {
  type Call,
  ProtocolFault,
  readBulk,
  readCall,
  readToNode,
  type ToNode,
  toBeamTerm,
  workerId,
} from './protocol.ts';
import { type Entry, Registry } from './registry.ts';

/** What the program needs of `src/ssl`. */
export interface Sockets {
  readonly createContext: CreateContext;
  readonly connect: Connect;
  readonly listen: Listen;
  readonly createTunnel: CreateTunnel;
  readonly adopt: Adopt;
  readonly listenTunnel: ListenTunnel;
  /** Forgets what was made of PEM and other files. */
  readonly forgetFiles: (context: SocketContext) => void;
  /** Follows the next connections. */
  readonly traceNext: (
    context: SocketContext,
    tracer: unknown,
    count: number,
    role: 'client' | 'server' | undefined,
  ) => boolean;
  /** Ends traces of connections to come; tells whose they were. */
  readonly untraceNext: (context: SocketContext, meant: IsTracer) => unknown[];
  /** The latest handshakes that failed. */
  readonly tellFailures: (context: SocketContext, what: unknown) => Result<Value>;
  /** Judges options for nobody. */
  readonly tellOptions: TellOptions;
  /** What all connections have done. */
  readonly tellMetrics: (context: SocketContext) => readonly (readonly [Value, Value])[];
}

type RequestFrame = Extract<ToNode, { type: 'request' }>;
type CallOf<T extends Call['type']> = Extract<Call, { type: T }>;

/** The calls that make something new. */
type OpeningCall = 'connect' | 'listen' | 'accept' | 'tunnel' | 'tunnel_listen' | 'tunnel_accept';

const decodeLimits = { maxDepth: 10_000, maxInflatedBytes: maxFrameSize };

/** Does what the frames say. One a program. */
export class Dispatcher implements FrameSink {
  readonly #outlet: Outlet;
  readonly #sockets: Sockets;
  readonly #context: SocketContext;
  readonly #registry = new Registry();

  constructor(outlet: Outlet, gate: OutputGate, sockets: Sockets, profile: string | undefined) {
    this.#outlet = outlet;
    this.#sockets = sockets;
    this.#context = sockets.createContext({
      reader: outlet.terms.reader,
      gate,
      ...(profile === undefined ? {} : { profile }),
    });
  }

  /** How many connections and listeners there are, those being made included. */
  get size(): number {
    return this.#registry.size;
  }

  frame(bytes: Uint8Array): void {
    try {
      const send = readBulk('send', bytes);
      if (send !== undefined) {
        this.#send(send.id, send.data);
        return;
      }
      const tunnel = readBulk('tunnel', bytes);
      if (tunnel !== undefined) this.#tunnelData(tunnel.id, tunnel.data);
      else this.#term(bytes);
    } catch (cause) {
      this.#outlet.log.fault(workerId, 'a frame could not be handled', cause);
    }
  }

  oversized(length: number): void {
    const cause = `${length} bytes are more than ${maxFrameSize}`;
    this.#outlet.log.fault(workerId, 'a frame was skipped', cause);
  }

  /** Closes everything in good order and calls back when nothing is left. */
  closeAll(done: () => void): void {
    for (const entry of this.#registry.all()) {
      this.#release(entry);
    }
    this.#registry.whenEmpty(done);
  }

  #term(bytes: Uint8Array): void {
    let term: Term;
    try {
      // The decoded term keeps views of what it is read from.
      term = decode(new Uint8Array(bytes), decodeLimits);
    } catch (cause) {
      if (!(cause instanceof EtfError)) {
        throw cause;
      }
      const where = `a frame could not be read at byte ${cause.offset}`;
      this.#outlet.log.fault(workerId, where, `${cause.reason}, ${cause.message}`);
      return;
    }
    try {
      this.#message(readToNode(term));
    } catch (cause) {
      if (!(cause instanceof ProtocolFault)) {
        throw cause;
      }
      this.#refuse(term, cause);
    }
  }

  /** A frame of none of the known shapes is answered where it names a tag. */
  #refuse(term: Term, fault: ProtocolFault): void {
    const tag = term instanceof Tuple && isAtom(term.at(0), 'request') ? term.at(1) : undefined;
    if (tag === undefined) {
      this.#outlet.log.fault(workerId, 'a frame was refused', fault.message);
    } else {
      new Answer(this.#outlet, tag).fail(fault.reason);
    }
  }

  #message(message: ToNode): void {
    switch (message.type) {
      case 'request':
        this.#request(message);
        return;
      case 'cancel':
        this.#cancel(message.id, message.tag);
        return;
      case 'send':
        this.#send(message.id, message.data);
        return;
      case 'answer':
        this.#answer(message.id, message.questionId, message.value);
        return;
      case 'tunnel':
        this.#tunnelData(message.id, message.data);
        return;
      case 'tunnel_ack':
        this.#onTunnel(message.id, (tunnel) => tunnel.acknowledged(message.bytes));
        return;
      case 'tunnel_end':
        this.#onTunnel(message.id, (tunnel) =>
          tunnel.ended(message.reason === 'eof' ? undefined : message.reason),
        );
        return;
      case 'tunnel_failed':
        this.#onTunnel(message.id, (tunnel) => tunnel.failed(message.reason));
        return;
      case 'release': {
        const entry = this.#registry.find(message.id);
        if (entry !== undefined) {
          this.#release(entry);
        }
      }
    }
  }

  #send(id: number, data: Uint8Array): void {
    this.#onConnection(id, (socket) => socket.send(data));
  }

  #answer(id: number, questionId: number, value: unknown): void {
    const entry = this.#registry.find(id);
    try {
      entry?.socket?.answer(questionId, value);
    } catch (cause) {
      if (entry !== undefined) this.#fail(entry, cause);
    }
  }

  /** The connection keeps what it is given, and the frame is only a view. */
  #tunnelData(id: number, data: Uint8Array): void {
    this.#onTunnel(id, (tunnel) => tunnel.received(Buffer.from(data)));
  }

  #onTunnel(id: number, use: (tunnel: TunnelTransport) => void): void {
    const entry = this.#registry.find(id);
    if (entry?.tunnel === undefined) return;
    try {
      use(entry.tunnel);
    } catch (cause) {
      this.#fail(entry, cause);
    }
  }

  /** What comes for a connection that is gone already is ignored: its sender will hear of `gone`. */
  #onConnection(id: number, use: (socket: SslSocket) => void): void {
    const entry = this.#registry.find(id);
    if (entry?.socket?.kind === 'connection') {
      try {
        use(entry.socket);
      } catch (cause) {
        this.#fail(entry, cause);
      }
    }
  }

  #request({ tag, id, call: callTerm }: RequestFrame): void {
    const answer = new Answer(this.#outlet, tag);
    const call = readCall(callTerm);
    switch (call.type) {
      case 'ping':
        answer.done({ ok: undefined });
        return;
      case 'clear_pem_cache':
        this.#sockets.forgetFiles(this.#context);
        answer.done({ ok: undefined });
        return;
      case 'metrics':
        answer.value({
          ok: { map: [...this.#sockets.tellMetrics(this.#context), ...this.#state()] },
        });
        return;
      case 'connect':
      case 'listen':
      case 'accept':
      case 'tunnel':
      case 'tunnel_listen':
      case 'tunnel_accept':
        this.#open(answer, id, call);
        return;
      case 'trace':
      case 'untrace':
      case 'failures':
      case 'options':
        if (id !== workerId) break;
        this.#inside(answer, call);
        return;
    }
    const entry = this.#registry.find(id);
    if (entry?.socket === undefined) {
      answer.fail('closed');
      return;
    }
    try {
      const { socket } = entry;
      let stop: Cancel | undefined;
      if (socket.kind === 'listener') callListener(socket, call, answer);
      else if (call.type === 'close') this.#close(entry, socket, answer);
      else stop = callConnection(socket, call, answer);
      answer.wait(entry, stop ?? nothingToStop);
    } catch (cause) {
      answer.fail(internalError(cause));
      this.#fail(entry, cause);
    }
  }

  /** What concerns all connections, or none. */
  #inside(answer: Answer, call: CallOf<'trace' | 'untrace' | 'failures' | 'options'>): void {
    switch (call.type) {
      case 'trace': {
        const role = call.role === 'any' ? undefined : call.role;
        const followed = this.#sockets.traceNext(this.#context, call.tracer, call.count, role);
        answer.done(followed ? { ok: undefined } : { error: 'system_limit' });
        return;
      }
      case 'untrace': {
        const meant = isTracer(call.tracer);
        const over = this.#sockets.untraceNext(this.#context, meant);
        for (const { socket } of this.#registry.all()) over.push(...(socket?.untrace(meant) ?? []));
        answer.value(told(over));
        return;
      }
      case 'failures':
        answer.value(this.#sockets.tellFailures(this.#context, call.what));
        return;
      case 'options':
        answer.value(this.#sockets.tellOptions(this.#context, call));
    }
  }

  /** The calls that make something new under `id`. */
  #open(answer: Answer, id: number, call: CallOf<OpeningCall>): void {
    const entry = id === workerId ? undefined : this.#registry.add(id);
    if (entry === undefined) {
      answer.fail('badarg');
      return;
    }
    const events = new EntryEvents(this.#outlet, entry, {
      fail: (failed, cause) => this.#fail(failed, cause),
      forget: (gone) => this.#forget(gone),
    });
    try {
      switch (call.type) {
        case 'connect':
          this.#connect(answer, entry, events, call);
          return;
        case 'listen':
          // The reply may come before `listen` returns, but no frame for the entry can.
          entry.socket = this.#sockets.listen(this.#context, events, call, (result) =>
            answer.done('error' in result ? result : { ok: undefined }),
          );
          answer.wait(entry, () => this.#release(entry));
          return;
        case 'tunnel_listen':
          entry.socket = this.#sockets.listenTunnel(this.#context, events, call, (result) =>
            answer.done('error' in result ? result : { ok: undefined }),
          );
          return;
        case 'accept':
          this.#accept(answer, entry, events, call);
          return;
        case 'tunnel':
        case 'tunnel_accept':
          this.#tunnel(answer, entry, events, call);
      }
    } catch (cause) {
      answer.fail(internalError(cause));
      this.#fail(entry, cause);
    }
  }

  /** What the program holds at this moment. */
  #state(): (readonly [Value, Value])[] {
    let connections = 0;
    let listeners = 0;
    let calls = 0;
    for (const { socket, pending } of this.#registry.all()) {
      if (socket?.kind === 'listener') listeners += 1;
      else connections += 1;
      calls += pending.size;
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return [
      ['connections', connections],
      ['listeners', listeners],
      ['calls', calls],
      ['output_queue', this.#outlet.writer.waiting],
      ['memory', rss],
      ['memory_heap', heapUsed],
      ['memory_external', external],
    ];
  }

  #connect(answer: Answer, entry: Entry, events: EntryEvents, call: CallOf<'connect'>): void {
    const connecting = this.#sockets.connect(this.#context, events, call, (result) =>
      answer.handshaken(result),
    );
    entry.socket = connecting.socket;
    answer.wait(entry, connecting.cancel);
  }

  #accept(answer: Answer, entry: Entry, events: EntryEvents, call: CallOf<'accept'>): void {
    const listener = this.#registry.find(call.listenId)?.socket;
    if (listener?.kind !== 'listener') {
      answer.fail('closed');
      this.#forget(entry);
      return;
    }
    const stop = listener.accept(events, call.timeout, (result) => {
      if ('ok' in result) {
        entry.socket = result.ok;
        answer.done({ ok: undefined });
      } else {
        answer.fail(result.error);
        this.#forget(entry);
      }
    });
    answer.wait(entry, () => {
      stop();
      this.#forget(entry);
    });
  }

  /** A connection over a socket of the BEAM's; its handshake is a call of its own. */
  #tunnel(
    answer: Answer,
    entry: Entry,
    events: EntryEvents,
    call: CallOf<'tunnel' | 'tunnel_accept'>,
  ): void {
    const tunnel = this.#sockets.createTunnel(tunnelOutlet(this.#outlet, entry.id));
    let made: Result<SslSocket>;
    if (call.type === 'tunnel') {
      made = this.#sockets.adopt(this.#context, events, call, tunnel);
    } else {
      const listener = this.#registry.find(call.listenId)?.socket;
      made = listener?.kind === 'listener' ? listener.adopt(events, tunnel) : { error: 'closed' };
    }
    if ('error' in made) {
      answer.fail(made.error);
      this.#forget(entry);
      return;
    }
    entry.socket = made.ok;
    entry.tunnel = tunnel;
    answer.done({ ok: undefined });
  }

  #cancel(id: number, tag: Term): void {
    const entry = this.#registry.find(id);
    if (entry !== undefined) {
      try {
        for (const call of entry.pending) {
          if (equals(call.tag, tag)) {
            call.cancel();
            break;
          }
        }
      } catch (cause) {
        this.#fail(entry, cause);
      }
    }
  }

  /** Nobody holds the entry any more. `gone` follows, at once or when all is sent. */
  #release(entry: Entry): void {
    try {
      if (entry.socket === undefined) {
        for (const call of [...entry.pending]) {
          call.cancel();
        }
        this.#forget(entry);
      } else {
        entry.socket.release();
      }
    } catch (cause) {
      this.#outlet.log.fault(entry.id, 'a connection could not be closed', cause);
      this.#forget(entry);
    }
  }

  /**
   * The BEAM has nothing left to do for a connection that is closed, and `gone` leaves with the answer, though
   * the transport may still wait for the peer. A tunnel needs the BEAM until its last byte.
   */
  #close(entry: Entry, socket: SslSocket, answer: Answer): void {
    socket.close((result) => {
      if (answer.settled) return;
      answer.done(result);
      if (entry.tunnel === undefined) this.#tellGone(entry);
    });
  }

  /** Ends the connection that an unexpected exception has hit; a listener goes on. */
  #fail(entry: Entry, cause: unknown): void {
    if (entry.socket?.kind === 'listener') {
      this.#outlet.log.fault(entry.id, 'an unexpected error in a listener', cause);
      return;
    }
    this.#outlet.log.fault(
      entry.id,
      'a connection is closed because of an unexpected error',
      cause,
    );
    const value = internalError(cause);
    for (const call of [...entry.pending]) {
      call.fail(value);
    }
    if (!entry.toldGone) {
      const reason = this.#outlet.terms.termOf(value);
      this.#outlet.writer.frame(encode(toBeamTerm({ type: 'error', id: entry.id, reason })));
    }
    this.#release(entry);
  }

  #forget(entry: Entry): void {
    if (this.#registry.remove(entry)) this.#tellGone(entry);
  }

  #tellGone(entry: Entry): void {
    if (entry.toldGone) return;
    entry.toldGone = true;
    this.#outlet.writer.frame(encode(toBeamTerm({ type: 'gone', id: entry.id })));
  }
}

/** `all`, or the one with this name. */
function isTracer(named: Term): IsTracer {
  return isAtom(named, 'all') ? () => true : (tracer) => equals(tracer as Term, named);
}

function told(tracers: readonly unknown[]): Result<Value> {
  return { ok: { list: tracers.map((term) => ({ term })) } };
}

const nothingToStop: Cancel = () => undefined;

type SocketCall = Exclude<Call, CallOf<OpeningCall | 'ping' | 'clear_pem_cache' | 'metrics'>>;
type ConnectionCall = Exclude<SocketCall, CallOf<'close'>>;

/** Begins a call; the `Cancel` ends its wait where it has one. */
function callConnection(
  socket: SslSocket,
  call: ConnectionCall,
  answer: Answer,
): Cancel | undefined {
  switch (call.type) {
    case 'recv':
      return socket.recv(call.length, call.timeout, (result) => answer.received(result));
    case 'flush':
      return socket.flush((result) => answer.done(result));
    case 'handshake':
      return socket.handshake(call.options, call.timeout, (result) => answer.handshaken(result));
    case 'handshake_continue':
      return socket.continueHandshake(call.options, call.timeout, (result) =>
        answer.handshaken(result),
      );
    case 'handshake_cancel':
      socket.cancelHandshake((result) => answer.done(result));
      return undefined;
    case 'setopts':
      socket.setopts(call.options, (result) => answer.state(result));
      return undefined;
    case 'getopts':
      answer.value(socket.getopts(call.names));
      return undefined;
    case 'shutdown':
      socket.shutdown(call.how, (result) => answer.done(result));
      return undefined;
    case 'peername':
      answer.value(socket.peername());
      return undefined;
    case 'sockname':
      answer.value(socket.sockname());
      return undefined;
    case 'peercert':
      answer.value(socket.peercert());
      return undefined;
    case 'peerchain':
      answer.value(socket.peerchain());
      return undefined;
    case 'negotiated_protocol':
      answer.value(socket.negotiatedProtocol());
      return undefined;
    case 'connection_information':
      answer.value(socket.connectionInformation(call.items));
      return undefined;
    case 'update_keys':
      socket.updateKeys(call.direction, (result) => answer.done(result));
      return undefined;
    case 'renegotiate':
      return socket.renegotiate((result) => answer.done(result));
    case 'prf':
      answer.value(socket.prf(call.secret, call.label, call.seed, call.length));
      return undefined;
    case 'export_key_materials': {
      const { labels, contexts, lengths, consume } = call;
      answer.value(socket.exportKeyMaterials(labels, contexts, lengths, consume));
      return undefined;
    }
    case 'channel_binding':
      answer.value(socket.channelBinding(call.kind));
      return undefined;
    case 'request_certificate':
      return socket.requestCertificate((result) => answer.done(result));
    case 'downgrade':
      return socket.downgrade(call.timeout, (result) => answer.done(result));
    case 'take_rest':
      answer.value(socket.takeRest());
      return undefined;
    case 'getstat':
      answer.value(socket.getstat(call.names));
      return undefined;
    case 'trace':
      answer.done(socket.trace(call.tracer));
      return undefined;
    case 'untrace':
      answer.value(told(socket.untrace(isTracer(call.tracer))));
      return undefined;
    case 'explain':
      answer.value(socket.explain(call.what));
      return undefined;
    case 'failures':
    case 'options':
    case 'reload':
      answer.fail('notsup');
      return undefined;
  }
}

function callListener(listener: SslListener, call: SocketCall, answer: Answer): void {
  switch (call.type) {
    case 'setopts':
      listener.setopts(call.options, (result) => answer.state(result));
      return;
    case 'reload':
      listener.reload(call.options, (result) => answer.done(result));
      return;
    case 'getopts':
      answer.value(listener.getopts(call.names));
      return;
    case 'sockname':
      answer.value(listener.sockname());
      return;
    case 'getstat':
      answer.value(listener.getstat(call.names));
      return;
    case 'trace':
      answer.done(listener.trace(call.tracer, call.count));
      return;
    case 'untrace':
      answer.value(told(listener.untrace(isTracer(call.tracer))));
      return;
    case 'failures':
    case 'options':
      answer.fail('notsup');
      return;
    case 'close':
      listener.close((result) => answer.done(result));
      return;
    case 'recv':
    case 'flush':
    case 'handshake':
    case 'handshake_continue':
    case 'handshake_cancel':
    case 'shutdown':
    case 'peername':
    case 'peercert':
    case 'peerchain':
    case 'negotiated_protocol':
    case 'connection_information':
    case 'explain':
    case 'update_keys':
    case 'renegotiate':
    case 'prf':
    case 'export_key_materials':
    case 'channel_binding':
    case 'request_certificate':
    case 'downgrade':
    case 'take_rest':
      answer.fail('enotconn');
  }
}
