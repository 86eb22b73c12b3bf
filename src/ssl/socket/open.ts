/** Opening connections and listeners: arguments first, then the network. */

import { mismatchedKey, parseOptions, tellOptions as tellAll } from '../options/index.ts';
import type { Value } from '../value.ts';
import type { Adopt, Connect, CreateTunnel, Listen, ListenTunnel, TellOptions } from './api.ts';
import { closedListener, closedSocket } from './closed_socket.ts';
import { TlsConnection } from './connection.ts';
import { TlsListener } from './listener.ts';
import { readPort, readTarget, type Target } from './target.ts';
import { TunnelTransport } from './transport/tunnel.ts';

/** Connects: TCP and TLS within one time limit; `ok` when the handshake is done. */
export const connect: Connect = (context, observer, request, reply) => {
  const { reader, profile, config } = context;
  const options = config.lists.read(request.options, reader, profile);
  const target = readTarget(request.host, request.port, reader);
  if ('error' in options || 'error' in target) {
    reply('error' in options ? options : (target as { readonly error: string }));
    observer.gone();
    return { socket: closedSocket, cancel: () => {} };
  }
  const socket = new TlsConnection(context, observer, options.ok, options.ok.socket, undefined);
  const cancel = socket.connect(target.ok, request.timeout, reply);
  return { socket, cancel };
};

/** Listens: checks the options and binds the port. */
export const listen: Listen = (context, observer, request, reply) => {
  const { reader, profile } = context;
  const options = parseOptions(request.options, reader, { role: 'server', profile });
  const port = readPort(request.port, reader);
  if ('error' in options || 'error' in port) {
    reply('error' in options ? options : (port as { readonly error: string }));
    observer.gone();
    return closedListener;
  }
  const mismatch = mismatchedKey(options.ok, context.config);
  if (mismatch !== undefined) {
    reply({ error: mismatch });
    observer.gone();
    return closedListener;
  }
  const listener = new TlsListener(context, observer, options.ok);
  listener.listen(port.ok, reply);
  return listener;
};

/** The transport of a connection whose socket the BEAM owns. */
export const createTunnel: CreateTunnel = (outlet) => new TunnelTransport(outlet);

/** Makes a connection over a socket of the BEAM's: checks the options; the handshake is asked for later. */
export const adopt: Adopt = (context, observer, request, tunnel) => {
  const { reader, profile } = context;
  const { role, host, port } = request;
  const options = parseOptions(request.options, reader, { role, profile });
  if ('error' in options) return options;
  const { ok } = options;
  const connection = new TlsConnection(context, observer, ok, ok.socket, tunnel);
  // A socket without a name, such as one of a file, is whoever the option says, or nobody.
  const target = role === 'client' ? readTarget(host, port, reader) : undefined;
  connection.adopt(tunnel, target !== undefined && 'ok' in target ? target.ok : nobody(role));
  return { ok: connection };
};

/** A reference that no certificate carries. */
function nobody(role: 'client' | 'server'): Target | undefined {
  return role === 'client' ? { host: '', port: 0, reference: { dns: '' } } : undefined;
}

/** Listens for a socket of the BEAM's: checks and keeps the options. */
export const listenTunnel: ListenTunnel = (context, observer, request, reply) => {
  const { reader, profile } = context;
  const options = parseOptions(request.options, reader, { role: 'server', profile });
  const mismatch = 'ok' in options ? mismatchedKey(options.ok, context.config) : undefined;
  if ('error' in options || mismatch !== undefined) {
    reply('error' in options ? options : { error: mismatch as Value });
    observer.gone();
    return closedListener;
  }
  const listener = new TlsListener(context, observer, options.ok);
  listener.listenTunnel(reply);
  return listener;
};

/** Reads options without opening anything. */
export const tellOptions: TellOptions = ({ reader, profile }, { role, base, options }) => {
  const below = parseOptions(base, reader, { role, profile, mayBeEmpty: true });
  if ('error' in below) return below;
  const parsed = parseOptions(options, reader, { role, profile, base: below.ok });
  if ('error' in parsed) return parsed;
  return { ok: { list: [...tellAll(parsed.ok)] } };
};
