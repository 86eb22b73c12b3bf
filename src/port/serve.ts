/**
 * The port program itself: standard input to dispatcher to standard output, from the hello frame until
 * standard input ends.
 *
 * The hello frame leaves before `src/ssl` is loaded, so that the BEAM need not wait for it; frames that come
 * meanwhile wait in the pipe.
 */

import { createReadStream, createWriteStream } from 'node:fs';
import { type ConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';
import type { Dispatcher, Sockets } from './dispatcher.ts';
import { encode } from './etf.ts';
import { Deframer, FrameWriter } from './framing.ts';
import { describe, PortLog, printError } from './logging.ts';
import { protocolVersion, toBeamTerm } from './protocol.ts';
import type { ServeOptions } from './serve_options.ts';
import { Terms } from './terms.ts';
import { version } from './version.ts';

/** Exit status after an unexpected error (`EX_SOFTWARE` of sysexits): the supervisor starts a new program. */
const exitSoftware = 70;

/** Exit status when a person has started it (`EX_USAGE`). */
const exitUsage = 64;

/** Milliseconds that connections have to say goodbye when the program ends. */
const farewellTime = 1000;

/** What the program runs on; tests put streams in memory here. */
export interface PortHost {
  /** Opens standard input; it may be read straight into the deframer, or come as `data` events. */
  openInput(deframer: Deframer): Readable;
  readonly output: Writable;
  /** Loads `src/ssl`. */
  loadSockets(): Promise<Sockets>;
  /** Writes a line to standard error. */
  print(text: string): void;
  exit(status: number): void;
}

/** Runs the program on the process's own standard streams. `stdio_guard.ts` must be loaded before. */
export function serve(options: ServeOptions): void {
  if (isatty(0)) {
    printError(
      'ssl-port: serve speaks a binary protocol with the BEAM, which starts it as a port; ' +
        'a terminal cannot (see: ssl-port help)',
    );
    process.exit(exitUsage);
  }
  const port = new Port(
    {
      openInput,
      output: openOutput(),
      loadSockets: () => import('../ssl/socket/index.ts'),
      print: printError,
      exit: (status) => process.exit(status),
    },
    options,
  );
  process.on('uncaughtException', (cause) => port.crash(cause));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => port.finish());
  }
  port.run();
}

/** One run of the program. */
export class Port {
  readonly #host: PortHost;
  readonly #profile: string | undefined;
  readonly #writer: FrameWriter;
  readonly #log: PortLog;
  #dispatcher: Dispatcher | undefined;
  #finishing = false;
  #deaf = false;

  constructor(host: PortHost, options: ServeOptions) {
    this.#host = host;
    this.#profile = options.profile;
    this.#writer = new FrameWriter(host.output);
    this.#log = new PortLog(this.#writer, (text) => host.print(text));
  }

  /** Says hello, loads the rest, and serves until `finish`. */
  run(): void {
    this.#host.output.on('error', () => this.#lost());
    const about = { version, node: process.versions.node, openssl: process.versions.openssl };
    this.#writer.frame(encode(toBeamTerm({ type: 'hello', protocol: protocolVersion, about })));
    this.#writer.flush();
    this.#start().catch((cause) => this.crash(cause));
  }

  /** Closes every connection in good order, within `farewellTime`, and ends the program. */
  finish(): void {
    if (this.#finishing) {
      return;
    }
    this.#finishing = true;
    const deadline = setTimeout(() => this.#host.exit(0), farewellTime);
    const leave = (): void => {
      clearTimeout(deadline);
      this.#host.exit(0);
    };
    const flushed = (): void => {
      this.#writer.flush();
      if (this.#deaf || this.#writer.waiting === 0) {
        leave();
      } else {
        this.#host.output.end(leave);
      }
    };
    if (this.#dispatcher === undefined) {
      flushed();
    } else {
      this.#dispatcher.closeAll(flushed);
    }
  }

  /** Ends the program at once: its state can no longer be trusted. */
  crash(cause: unknown): void {
    const stack = cause instanceof Error ? (cause.stack ?? describe(cause)) : describe(cause);
    this.#host.print(`ssl-port: unexpected error, the program ends: ${stack}`);
    this.#host.exit(exitSoftware);
  }

  async #start(): Promise<void> {
    const terms = new Terms((name) =>
      this.#log.fault(0, 'an atom is not in the protocol', JSON.stringify(name)),
    );
    const [{ Dispatcher }, sockets] = await Promise.all([
      import('./dispatcher.ts'),
      this.#host.loadSockets(),
    ]);
    const outlet = { writer: this.#writer, terms, log: this.#log };
    const dispatcher = new Dispatcher(outlet, this.#writer, sockets, this.#profile);
    this.#dispatcher = dispatcher;
    this.#listen(dispatcher);
  }

  #listen(dispatcher: Dispatcher): void {
    const deframer = new Deframer({
      frame: (bytes) => this.#finishing || dispatcher.frame(bytes),
      oversized: (length) => dispatcher.oversized(length),
    });
    const input = this.#host.openInput(deframer);
    input.on('error', () => this.finish());
    input.on('end', () => this.finish());
    input.on('data', (chunk: Uint8Array) => deframer.push(chunk));
  }

  /** Nobody reads the output any more: the BEAM has closed the port. */
  #lost(): void {
    this.#deaf = true;
    this.finish();
  }
}

/**
 * A port's pipes are sockets to Node.js; files come in when somebody tries the program by hand. What a
 * socket reads goes straight to where the deframer wants it, without a buffer for each read.
 */
function openInput(deframer: Deframer): Readable {
  try {
    const onread: OnReadOpts = {
      buffer: () => deframer.space(),
      callback: (count) => {
        deframer.filled(count);
        return true;
      },
    };
    const options: SocketConstructorOpts & ConnectOpts = { fd: 0, writable: false, onread };
    return new Socket(options);
  } catch {
    return createReadStream('', { fd: 0 });
  }
}

function openOutput(): Writable {
  try {
    return new Socket({ fd: 1, readable: false, writable: true });
  } catch {
    return createWriteStream('', { fd: 1 });
  }
}
