/**
 * A throw-away public key infrastructure for the engine's tests, made by the `openssl` command once per
 * test process: a CA for each kind of key, and leaf certificates of every kind for servers and clients.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importPrivateKeyPem } from '../../src/ssl/crypto/index.ts';
import { type Credential, credentialOf } from '../../src/ssl/tls/config.ts';

/** The kinds of leaf certificates. */
export type LeafKind =
  | 'rsa'
  | 'rsa_pss'
  | 'secp256r1'
  | 'secp384r1'
  | 'secp521r1'
  | 'ed25519'
  | 'ed448';

const GENERATE: Readonly<Record<LeafKind, readonly string[]>> = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  rsa_pss: ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  secp256r1: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  secp384r1: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  secp521r1: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  ed25519: ['-algorithm', 'ED25519'],
  ed448: ['-algorithm', 'ED448'],
};

/** All kinds of leaf certificates. */
export const leafKinds = Object.keys(GENERATE) as readonly LeafKind[];

/** A leaf certificate: ready for an engine, and as files for other programs. */
export interface Leaf {
  readonly credential: Credential;
  readonly certFile: string;
  readonly keyFile: string;
}

/** The folder of the files; gone when the process ends. */
const folder = mkdtempSync(join(tmpdir(), 'engine_pki_'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const openssl = (...args: readonly string[]): void => {
  execFileSync('openssl', [...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
};

function derOf(pemFile: string): Uint8Array {
  const text = readFileSync(join(folder, pemFile), 'latin1');
  const body = /-----BEGIN CERTIFICATE-----([^-]*)-----END/.exec(text)?.[1] ?? '';
  return Buffer.from(body, 'base64');
}

const made = new Map<string, unknown>();

function once<T>(name: string, make: () => T): T {
  if (!made.has(name)) made.set(name, make());
  return made.get(name) as T;
}

/** The one certificate authority. */
export function authority(): { readonly der: Uint8Array; readonly certFile: string } {
  return once('ca', () => {
    openssl('genpkey', ...GENERATE.secp256r1, '-out', 'ca.key');
    openssl(
      ...['req', '-x509', '-new', '-key', 'ca.key', '-out', 'ca.pem', '-days', '30'],
      ...['-subj', '/CN=Engine Test CA', '-addext', 'basicConstraints=critical,CA:TRUE'],
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
    return { der: derOf('ca.pem'), certFile: join(folder, 'ca.pem') };
  });
}

/** A CA that nobody trusts. */
export function strangeAuthority(): { readonly der: Uint8Array } {
  return once('strange', () => {
    openssl('genpkey', ...GENERATE.secp256r1, '-out', 'strange.key');
    openssl(
      ...['req', '-x509', '-new', '-key', 'strange.key', '-out', 'strange.pem', '-days', '30'],
      ...['-subj', '/CN=Strange CA', '-addext', 'basicConstraints=critical,CA:TRUE'],
    );
    return { der: derOf('strange.pem') };
  });
}

/** What may differ between leaves. */
export interface LeafOptions {
  /** Of the leaf's subjectAltName; default `DNS:server.example,IP:127.0.0.1`. */
  readonly names?: string;
}

/** The leaf certificate of a kind, issued by `authority()`. */
export function leaf(kind: LeafKind, options: LeafOptions = {}): Leaf {
  const names = options.names ?? 'DNS:server.example,IP:127.0.0.1';
  const name = `leaf_${kind}_${made.size}`;
  return once(`${kind}|${names}`, () => {
    authority();
    openssl('genpkey', ...GENERATE[kind], '-out', `${name}.key`);
    openssl(
      ...['req', '-new', '-key', `${name}.key`, '-out', `${name}.csr`],
      ...['-subj', '/CN=server.example', '-addext', `subjectAltName=${names}`],
      ...['-addext', 'keyUsage=critical,digitalSignature'],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    );
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-copy_extensions', 'copyall', '-out', `${name}.pem`],
      ...['-days', '10'],
    );
    const key = importPrivateKeyPem(readFileSync(join(folder, `${name}.key`)));
    return {
      credential: credentialOf([derOf(`${name}.pem`)], key),
      certFile: join(folder, `${name}.pem`),
      keyFile: join(folder, `${name}.key`),
    };
  });
}
