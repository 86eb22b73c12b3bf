/**
 * A throw-away public key infrastructure for the engine's tests, made by the `openssl` command once per
 * test process: a CA for each kind of key, and leaf certificates of every kind for servers and clients.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importPrivateKeyPem } from '../../src/ssl/crypto/index.ts';
import { type Credential, credentialOf } from '../../src/ssl/tls/config.ts';
import { OpensslFolder } from './openssl_folder.ts';

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

/** Where the files are. */
const folder = new OpensslFolder('engine_pki_');

/** The one certificate authority. */
export function authority(): { readonly der: Uint8Array; readonly certFile: string } {
  return folder.once('ca', () => {
    folder.run('genpkey', ...GENERATE.secp256r1, '-out', 'ca.key');
    folder.run(
      ...['req', '-x509', '-new', '-key', 'ca.key', '-out', 'ca.pem', '-days', '30'],
      ...['-subj', '/CN=Engine Test CA', '-addext', 'basicConstraints=critical,CA:TRUE'],
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
    return { der: folder.derOf('ca.pem'), certFile: join(folder.path, 'ca.pem') };
  });
}

/** A CA that nobody trusts. */
export function strangeAuthority(): { readonly der: Uint8Array } {
  return folder.once('strange', () => {
    folder.run('genpkey', ...GENERATE.secp256r1, '-out', 'strange.key');
    folder.run(
      ...['req', '-x509', '-new', '-key', 'strange.key', '-out', 'strange.pem', '-days', '30'],
      ...['-subj', '/CN=Strange CA', '-addext', 'basicConstraints=critical,CA:TRUE'],
    );
    return { der: folder.derOf('strange.pem') };
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
  const name = `leaf_${kind}_${folder.size}`;
  return folder.once(`${kind}|${names}`, () => {
    authority();
    folder.run('genpkey', ...GENERATE[kind], '-out', `${name}.key`);
    folder.run(
      ...['req', '-new', '-key', `${name}.key`, '-out', `${name}.csr`],
      ...['-subj', '/CN=server.example', '-addext', `subjectAltName=${names}`],
      ...['-addext', 'keyUsage=critical,digitalSignature'],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    );
    folder.run(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-copy_extensions', 'copyall', '-out', `${name}.pem`],
      ...['-days', '10'],
    );
    const key = importPrivateKeyPem(readFileSync(join(folder.path, `${name}.key`)));
    return {
      credential: credentialOf([folder.derOf(`${name}.pem`)], key),
      certFile: join(folder.path, `${name}.pem`),
      keyFile: join(folder.path, `${name}.key`),
    };
  });
}
