/** What options make of a server's tickets. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  createConfigSource,
  engineConfig,
  parseOptions,
} from '../../../../src/ssl/options/index.ts';
import type { TicketKeeper } from '../../../../src/ssl/tls/session/ticket_keeper13.ts';
import { reader, term } from '../../../support/erlang_terms.ts';
import { fixtures } from '../../../support/socket_pair.ts';

const identity = `{certfile,"${fixtures}/server.pem"},{keyfile,"${fixtures}/server.key"}`;

function keeper(more: string): TicketKeeper {
  const options = parseOptions(term(`[${identity},${more}]`), reader, {
    role: 'server',
    profile: 'otp25',
  });
  assert.ok('ok' in options, JSON.stringify(options));
  const config = engineConfig(
    options.ok,
    createConfigSource(() => 0),
  );
  assert.ok('ok' in config, JSON.stringify(config));
  assert.ok(config.ok.ticketKeeper !== undefined);
  return config.ok.ticketKeeper;
}

it('a window of anti_replay bounds the life of stateless tickets, as in OTP', () => {
  assert.equal(keeper('{session_tickets,stateless}').lifetime, 7200);
  assert.equal(keeper('{session_tickets,stateless},{anti_replay,{5,5,72985}}').lifetime, 5);
  assert.equal(keeper('{session_tickets,stateless},{anti_replay,{9000,5,72985}}').lifetime, 7200);
});
