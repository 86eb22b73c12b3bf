/**
 * Certificates of the kinds that only old key exchanges use, beside those of `engine_pki.ts`: a CA with an
 * RSA key, and leaf certificates signed by it.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importPrivateKeyPem } from '../../src/ssl/crypto/index.ts';
import { credentialOf } from '../../src/ssl/tls/config.ts';
import type { Leaf } from './engine_pki.ts';

/** The kinds of leaf certificates. */
export type LegacyLeafKind = 'rsa' | 'rsa_other' | 'dsa' | 'ec';

const folder = mkdtempSync(join(tmpdir(), 'engine_pki_legacy_'));
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

/** The CA. */
export function rsaAuthority(): { readonly der: Uint8Array; readonly certFile: string } {
  return once('ca', () => {
    openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'ca.key');
    openssl(
      ...['req', '-x509', '-new', '-key', 'ca.key', '-out', 'ca.pem', '-days', '30', '-sha256'],
      ...['-subj', '/CN=Legacy Test CA', '-addext', 'basicConstraints=critical,CA:TRUE'],
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
    return { der: derOf('ca.pem'), certFile: join(folder, 'ca.pem') };
  });
}

function generate(kind: LegacyLeafKind, out: string): void {
  if (kind === 'dsa') {
    openssl(
      ...['genpkey', '-genparam', '-algorithm', 'DSA', '-pkeyopt', 'dsa_paramgen_bits:1024'],
      ...['-pkeyopt', 'dsa_paramgen_q_bits:160', '-out', `${out}.param`],
    );
    openssl('genpkey', '-paramfile', `${out}.param`, '-out', `${out}.key`);
  } else if (kind === 'ec') {
    openssl(
      ...['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ...['-out', `${out}.key`],
    );
  } else {
    openssl(
      ...['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
      ...['-out', `${out}.key`],
    );
  }
}

/** The leaf certificate of a kind, issued by `rsaAuthority()`; good for signing, encryption and agreement. */
export function legacyLeaf(kind: LegacyLeafKind): Leaf {
  return once(`leaf ${kind}`, () => {
    rsaAuthority();
    generate(kind, kind);
    openssl(
      ...['req', '-new', '-key', `${kind}.key`, '-out', `${kind}.csr`, '-subj', '/CN=legacy'],
      ...['-addext', 'subjectAltName=DNS:server.example,IP:127.0.0.1'],
      ...['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement'],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    );
    openssl(
      ...['x509', '-req', '-in', `${kind}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-sha256'],
      ...['-CAcreateserial', '-copy_extensions', 'copyall', '-out', `${kind}.pem`, '-days', '10'],
    );
    const key = importPrivateKeyPem(readFileSync(join(folder, `${kind}.key`)));
    return {
      credential: credentialOf([derOf(`${kind}.pem`)], key),
      certFile: join(folder, `${kind}.pem`),
      keyFile: join(folder, `${kind}.key`),
    };
  });
}
