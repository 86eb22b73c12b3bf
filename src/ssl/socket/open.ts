/** Opening connections and listeners: arguments first, then the network. */

import { parseOptions } from '../options/index.ts';
import type { Connect, Listen } from './api.ts';
import { closedListener, closedSocket } from './closed_socket.ts';
import { TlsConnection } from './connection.ts';
import { TlsListener } from './listener.ts';
import { readPort, readTarget } from './target.ts';

/** Connects: TCP and TLS within one time limit; `ok` when the handshake is done. */
export const connect: Connect = (context, observer, request, reply) => {
  const { reader, profile } = context;
  const options = parseOptions(request.options, reader, { role: 'client', profile });
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
  const listener = new TlsListener(context, observer, options.ok);
  listener.listen(port.ok, reply);
  return listener;
};
