/** `prf/5`, `export_key_materials/4,5` and channel bindings: arguments in, the engine's answers out. */

import type { ConnectionInfo } from '../tls/events.ts';
import type { TermReader, Value } from '../value.ts';
import type { Result } from './api.ts';
import type { Channel } from './channel.ts';

const badInput: Result<never> = { error: 'bad_input' };

/** Answers `ssl:prf/5`; in TLS 1.3 there is no PRF (N-F03). */
export function prf(
  channel: Channel,
  info: ConnectionInfo,
  args: {
    readonly secret: unknown;
    readonly label: unknown;
    readonly seed: unknown;
    readonly length: unknown;
  },
  reader: TermReader,
): Result<Value> {
  const secret =
    reader.atom(args.secret) === 'master_secret' ? 'master_secret' : reader.binary(args.secret);
  // R46: the words of OTP
  if (secret === undefined) return { error: ['case_clause', { term: args.secret }] };
  const label = labelOf(args.label, reader);
  const length = reader.integer(args.length);
  const parts = reader.list(args.seed)?.map((part) => seedPart(part, info, reader));
  if (label === undefined || typeof length !== 'number' || parts === undefined)
    return { error: 'einval' };
  const seed: Uint8Array[] = [];
  for (const part of parts) {
    if (part === undefined) return { error: 'function_clause' };
    seed.push(part);
  }
  return channel.use((engine) => engine.prf(secret, label, Buffer.concat(seed), length));
}

function seedPart(
  term: unknown,
  { clientRandom, serverRandom }: ConnectionInfo,
  reader: TermReader,
): Uint8Array | undefined {
  const name = reader.atom(term);
  if (name === 'client_random') return clientRandom;
  if (name === 'server_random') return serverRandom;
  return reader.binary(term);
}

/** A label as a binary, or as a string. */
function labelOf(term: unknown, reader: TermReader): string | undefined {
  const bytes = reader.binary(term);
  return bytes === undefined ? reader.text(term) : Buffer.from(bytes).toString('latin1');
}

/** Answers `ssl:export_key_materials/4,5` (N-F02): one piece for each label. */
export function exportKeyMaterials(
  channel: Channel,
  args: { readonly labels: unknown; readonly contexts: unknown; readonly lengths: unknown },
  reader: TermReader,
): Result<Value> {
  const labels = reader.list(args.labels)?.map((label) => labelOf(label, reader));
  const contexts = reader.list(args.contexts);
  const lengths = reader.list(args.lengths)?.map((length) => reader.integer(length));
  if (labels === undefined || contexts === undefined || lengths === undefined) return badInput;
  if (labels.length !== contexts.length || labels.length !== lengths.length) return badInput;
  const pieces: Value[] = [];
  for (const [index, label] of labels.entries()) {
    const context = reader.binary(contexts[index]);
    const length = lengths[index];
    const none = reader.atom(contexts[index]) === 'no_context';
    if (label === undefined || typeof length !== 'number') return badInput;
    if (context === undefined && !none) return badInput;
    const piece = channel.use((engine) => engine.exportKeyingMaterial(label, context, length));
    if ('error' in piece) return badInput;
    pieces.push(piece.ok);
  }
  return { ok: { list: pieces } };
}

const BINDINGS = {
  tls_unique: 'tls-unique',
  tls_server_end_point: 'tls-server-end-point',
  tls_exporter: 'tls-exporter',
} as const;

/** What binds another protocol to this connection (RFC 5929, RFC 9266). */
export function channelBinding(channel: Channel, type: unknown, reader: TermReader): Result<Value> {
  const name = reader.atom(type) ?? '';
  if (!Object.hasOwn(BINDINGS, name)) return { error: ['illegal_parameter', { term: type }] };
  return channel.use((engine) => engine.channelBinding(BINDINGS[name as keyof typeof BINDINGS]));
}
