/**
 * Certificates of the kinds that only old key exchanges use, beside those of `engine_pki.ts`: a CA with an
 * RSA key, and leaf certificates signed by it.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importPrivateKeyPem } from '../../src/ssl/crypto/index.ts';
import { credentialOf } from '../../src/ssl/tls/config.ts';
import type { Leaf } from './engine_pki.ts';
import { OpensslFolder } from './openssl_folder.ts';

/** The kinds of leaf certificates. */
export type LegacyLeafKind = 'rsa' | 'rsa_other' | 'dsa' | 'ec';

/** Where the files are. */
const folder = new OpensslFolder('engine_pki_legacy_');

/** The CA. */
export function rsaAuthority(): { readonly der: Uint8Array; readonly certFile: string } {
  return folder.once('ca', () => {
    folder.run(
      'genpkey',
      '-algorithm',
      'RSA',
      '-pkeyopt',
      'rsa_keygen_bits:2048',
      '-out',
      'ca.key',
    );
    folder.run(
      ...['req', '-x509', '-new', '-key', 'ca.key', '-out', 'ca.pem', '-days', '30', '-sha256'],
      ...['-subj', '/CN=Legacy Test CA', '-addext', 'basicConstraints=critical,CA:TRUE'],
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
    return { der: folder.derOf('ca.pem'), certFile: join(folder.path, 'ca.pem') };
  });
}

function generate(kind: LegacyLeafKind, out: string): void {
  if (kind === 'dsa') {
    folder.run(
      ...['genpkey', '-genparam', '-algorithm', 'DSA', '-pkeyopt', 'dsa_paramgen_bits:1024'],
      ...['-pkeyopt', 'dsa_paramgen_q_bits:160', '-out', `${out}.param`],
    );
    folder.run('genpkey', '-paramfile', `${out}.param`, '-out', `${out}.key`);
  } else if (kind === 'ec') {
    folder.run(
      ...['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ...['-out', `${out}.key`],
    );
  } else {
    folder.run(
      ...['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
      ...['-out', `${out}.key`],
    );
  }
}

/** The leaf certificate of a kind, issued by `rsaAuthority()`; good for signing, encryption and agreement. */
export function legacyLeaf(kind: LegacyLeafKind): Leaf {
  return folder.once(`leaf ${kind}`, () => {
    rsaAuthority();
    generate(kind, kind);
    folder.run(
      ...['req', '-new', '-key', `${kind}.key`, '-out', `${kind}.csr`, '-subj', '/CN=legacy'],
      ...['-addext', 'subjectAltName=DNS:server.example,IP:127.0.0.1'],
      ...['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement'],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
    );
    folder.run(
      ...['x509', '-req', '-in', `${kind}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-sha256'],
      ...['-CAcreateserial', '-copy_extensions', 'copyall', '-out', `${kind}.pem`, '-days', '10'],
    );
    const key = importPrivateKeyPem(readFileSync(join(folder.path, `${kind}.key`)));
    return {
      credential: credentialOf([folder.derOf(`${kind}.pem`)], key),
      certFile: join(folder.path, `${kind}.pem`),
      keyFile: join(folder.path, `${kind}.key`),
    };
  });
}
