// Prints the suites that the program itself knows, one a line:
// CODE NAME OPENSSL-NAME KEY-EXCHANGE CIPHER MAC FIRST-VERSION LAST-VERSION
import { cipherSuites } from '../../../dist/ssl/tls/iana/cipher_suites.js';

for (const suite of cipherSuites) {
  const code = suite.code.toString(16).padStart(4, '0');
  const { name, opensslName, keyExchange, cipher, mac, minVersion, maxVersion } = suite;
  console.log(code, name, opensslName, keyExchange, cipher, mac, minVersion, maxVersion);
}
