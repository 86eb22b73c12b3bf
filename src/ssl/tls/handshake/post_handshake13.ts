/**
 * What TLS 1.3 has behind the handshake: NewSessionTicket, KeyUpdate, and certificates that the server
 * asks for late (RFC 8446 §4.6).
 */

import { type Secret, timingSafeEqual } from '../../crypto/index.ts';
import type { CipherSuite } from '../config.ts';
import type { ConnectionInfo } from '../events.ts';
import { DecryptFault, PeerMisbehaved } from '../faults.ts';
import { deriveResumptionPsk } from '../key_schedule13.ts';
import type { CertificateRequestTls13 } from '../messages/certificate_request.ts';
import type { MessageContext } from '../messages/context.ts';
import { type HandshakeTls13, readHandshakeTls13 } from '../messages/handshake.ts';
import type { NewSessionTicketTls13 } from '../messages/new_session_ticket.ts';
import { verificationPolicy } from '../session/policy.ts';
import { MAX_TICKET_LIFETIME } from '../session/ticket_keeper13.ts';
import {
  answerCertificateRequest,
  certificateIn,
  certificateTypes13,
  chainIn,
  expectCertificateVerify13,
  sendCertificateRequest13,
  verifyCertificateRequest,
} from './certificates13.ts';
import { expect, expect13, type Flow, type Incoming, type Link } from './flow.ts';
import { verifyPeerCertificate } from './peer_certificate.ts';
import type { Secrets13 } from './secrets13.ts';
import type { Transcript } from './transcript.ts';

/** Requests for a certificate that a client may leave unanswered. */
const MAX_OPEN_REQUESTS = 8;

const REQUEST_CONTEXT_LENGTH = 16;

/** RFC 8446 §4.6.1: opaque ticket<1..2^16-1>. */
const MAX_TICKET_LENGTH = 0xffff;

const CONTEXT: MessageContext = { version: 'tlsv1.3' };

/** OTP's `server_session_tickets_amount`. */
const DEFAULT_TICKET_COUNT = 3;

/** What tickets need to know of their connection. */
export interface TicketOrigin {
  readonly cipherSuite: CipherSuite;
  readonly resumption: Secret;
  readonly serverName: string | undefined;
  readonly alpn: Uint8Array | undefined;
  readonly peerChain: readonly Uint8Array[];
}

/** What certificates need that come after the handshake; `undefined` where none may. */
export interface LateAuthentication {
  readonly secrets: Secrets13;
  /** Up to the client's Finished. */
  readonly transcript: Transcript;
}

/** A client's messages until the connection ends. */
export function* connectedClient13(
  link: Link,
  context: MessageContext,
  origin: TicketOrigin,
  late: LateAuthentication | undefined,
): Flow {
  const policy = verificationPolicy(link.config);
  const types = late === undefined ? NO_REQUEST : WITH_REQUEST;
  for (;;) {
    const { message, bytes } = yield* expect13(context, 'connection', ...types);
    if (message.msgType === 'key_update') link.peerUpdatedKeys(message.requestUpdate);
    else if (message.msgType === 'new_session_ticket') takeTicket(link, origin, policy, message);
    else if (late !== undefined) yield* answerLate(link, late, message, bytes);
  }
}

const NO_REQUEST = ['new_session_ticket', 'key_update'] as const;
const WITH_REQUEST = [...NO_REQUEST, 'certificate_request'] as const;

function takeTicket(
  link: Link,
  origin: TicketOrigin,
  policy: Uint8Array,
  message: NewSessionTicketTls13,
): void {
  // RFC 8446 §4.6.1: zero means that the ticket should be thrown away at once
  if (message.ticketLifetime === 0) return;
  const { cipherSuite, resumption, serverName, alpn, peerChain } = origin;
  link.emit({
    type: 'new_session',
    session: {
      version: 'tlsv1.3',
      cipherSuite,
      ticket: message.ticket,
      psk: deriveResumptionPsk(cipherSuite.hash, resumption, message.ticketNonce),
      lifetime: Math.min(message.ticketLifetime, MAX_TICKET_LIFETIME),
      ageAdd: message.ticketAgeAdd,
      maxEarlyDataSize: message.extensions.early_data ?? 0,
      receivedAt: link.config.now(),
      serverName,
      alpn,
      peerChain,
      policy,
    },
  });
}

/** RFC 8446 §4.6.2: the client's answer, over the handshake and the request alone. */
function* answerLate(
  link: Link,
  { secrets, transcript }: LateAuthentication,
  request: CertificateRequestTls13,
  bytes: Uint8Array,
): Flow {
  verifyCertificateRequest(request);
  const own = transcript.fork();
  own.add(bytes);
  // RFC 8446 §4.6.2: nothing may come between the messages of the answer
  link.holdData();
  yield* answerCertificateRequest(link, own, request);
  link.send({ msgType: 'finished', verifyData: secrets.lateVerifyData('client', own) }, CONTEXT);
  link.releaseData();
}

/** RFC 8446 §4.6.1: sends the tickets of a finished handshake. */
export function sendTickets(link: Link, origin: TicketOrigin, authenticatedAt: number): void {
  const { config } = link;
  const { ticketKeeper: keeper, maxEarlyDataSize = 0 } = config;
  if (keeper === undefined) return;
  const policy = verificationPolicy(config);
  const { cipherSuite, resumption, serverName, alpn } = origin;
  const earlyDataSize = keeper.freshness === undefined ? 0 : maxEarlyDataSize;
  for (let index = 0; index < (config.ticketCount ?? DEFAULT_TICKET_COUNT); index++) {
    const ticketNonce = Uint8Array.of(index);
    const ageAdd = config.entropy.bytes(4, 'ticket_age_add').readUInt32BE(0);
    const now = config.now();
    const psk = deriveResumptionPsk(cipherSuite.hash, resumption, ticketNonce);
    const peerChain = config.ticketsWithCertificate === true ? origin.peerChain : [];
    const contents = {
      ...{ cipherSuite, psk, ageAdd, serverName, alpn, policy, peerChain, authenticatedAt },
      ...{ issuedAt: now, maxEarlyDataSize: earlyDataSize },
    };
    const ticket = keeper.issue(contents, now);
    psk.fill(0);
    // With a client's long chain inside, a ticket can be longer than its field.
    if (ticket.length > MAX_TICKET_LENGTH) return;
    link.send(
      {
        msgType: 'new_session_ticket',
        ticketLifetime: Math.min(keeper.lifetime, MAX_TICKET_LIFETIME),
        ticketAgeAdd: ageAdd,
        ticketNonce,
        ticket,
        extensions: { early_data: earlyDataSize > 0 ? earlyDataSize : undefined },
      },
      CONTEXT,
    );
  }
}

/** A server's messages until the connection ends. */
export function* connectedServer13(
  link: Link,
  info: ConnectionInfo,
  late: LateAuthentication | undefined,
): Flow {
  /** Requests without an answer: their contexts, and the transcripts up to them. */
  const open = new Map<string, Transcript>();
  for (;;) {
    const answers = open.size > 0 ? certificateTypes13(link) : [];
    const asks = late !== undefined && open.size < MAX_OPEN_REQUESTS ? ASKS : [];
    const incoming = yield* expect('connection', 'key_update', ...asks, ...answers);
    if (incoming.type === 'request_certificate') {
      if (late !== undefined) askForCertificate(link, late, open);
      continue;
    }
    const message = readHandshakeTls13(messageFrame(incoming), LATE_CONTEXT);
    if (message.msgType === 'key_update') link.peerUpdatedKeys(message.requestUpdate);
    else if (late !== undefined) yield* takeLate(link, info, late, open, message, incoming.bytes);
  }
}

const ASKS = ['request_certificate'] as const;

/** No extension was asked for in the entries of certificates. */
const LATE_CONTEXT: MessageContext = { ...CONTEXT, offered: new Set() };

type LateType = 'key_update' | 'certificate' | 'compressed_certificate' | 'request_certificate';

function messageFrame({ type, bytes, body }: Incoming<LateType>) {
  if (type === 'request_certificate') throw new Error('the owner sends no messages');
  return { type, bytes, body };
}

function askForCertificate(
  link: Link,
  { transcript }: LateAuthentication,
  open: Map<string, Transcript>,
): void {
  const requestContext = link.config.entropy.bytes(REQUEST_CONTEXT_LENGTH, 'request_context');
  const { bytes } = sendCertificateRequest13(link, requestContext);
  const own = transcript.fork();
  own.add(bytes);
  open.set(requestContext.toString('hex'), own);
}

/** RFC 8446 §4.6.2: the rest of an answer, whose first message has come. */
function* takeLate(
  link: Link,
  info: ConnectionInfo,
  { secrets }: LateAuthentication,
  open: Map<string, Transcript>,
  message: HandshakeTls13,
  bytes: Uint8Array,
): Flow {
  if (message.msgType !== 'certificate' && message.msgType !== 'compressed_certificate') {
    throw new PeerMisbehaved('unexpected_message', message.msgType);
  }
  const certificate = certificateIn(link, message, LATE_CONTEXT);
  const name = Buffer.from(certificate.certificateRequestContext).toString('hex');
  const own = open.get(name);
  if (own === undefined) throw new PeerMisbehaved('illegal_request_context');
  open.delete(name);
  own.add(bytes);
  const chain = chainIn(certificate);
  if (chain.length > 0) {
    const peer = yield* verifyPeerCertificate(link, chain, 'tlsv1.3');
    yield* expectCertificateVerify13(link, own, peer);
  } else if (link.config.failIfNoPeerCert) throw new PeerMisbehaved('certificate_required');
  const expected = secrets.lateVerifyData('client', own);
  const context = { ...CONTEXT, verifyDataLength: expected.length };
  const finished = yield* expect13(context, 'wait_finished', 'finished');
  if (!timingSafeEqual(finished.message.verifyData, expected)) {
    throw new DecryptFault('bad_finished');
  }
  if (chain.length > 0) link.updateInfo({ ...info, peerChain: chain });
  link.emit({ type: 'peer_certificate', chain });
}
