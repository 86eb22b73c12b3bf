/**
 * The object identifiers this room knows, by the names their standards give them:
 * attribute types (X.520, RFC 4519), extensions and key purposes (RFC 5280 §4.2),
 * key and signature algorithms (RFC 3279, 4055, 5480, 5758, 8410), encryption of keys (RFC 8018).
 */

/** Attribute types of distinguished names. */
export const attributeTypes = {
  commonName: '2.5.4.3',
  surname: '2.5.4.4',
  serialNumber: '2.5.4.5',
  countryName: '2.5.4.6',
  localityName: '2.5.4.7',
  stateOrProvinceName: '2.5.4.8',
  streetAddress: '2.5.4.9',
  organizationName: '2.5.4.10',
  organizationalUnitName: '2.5.4.11',
  title: '2.5.4.12',
  givenName: '2.5.4.42',
  initials: '2.5.4.43',
  generationQualifier: '2.5.4.44',
  dnQualifier: '2.5.4.46',
  pseudonym: '2.5.4.65',
  emailAddress: '1.2.840.113549.1.9.1',
  domainComponent: '0.9.2342.19200300.100.1.25',
  userId: '0.9.2342.19200300.100.1.1',
} as const;

/** The short names RFC 4514 §3 gives, and those that are in common use for the rest. */
export const attributeShortNames: ReadonlyMap<string, string> = new Map([
  [attributeTypes.commonName, 'CN'],
  [attributeTypes.surname, 'SN'],
  [attributeTypes.serialNumber, 'serialNumber'],
  [attributeTypes.countryName, 'C'],
  [attributeTypes.localityName, 'L'],
  [attributeTypes.stateOrProvinceName, 'ST'],
  [attributeTypes.streetAddress, 'STREET'],
  [attributeTypes.organizationName, 'O'],
  [attributeTypes.organizationalUnitName, 'OU'],
  [attributeTypes.title, 'title'],
  [attributeTypes.givenName, 'GN'],
  [attributeTypes.initials, 'initials'],
  [attributeTypes.generationQualifier, 'generationQualifier'],
  [attributeTypes.dnQualifier, 'dnQualifier'],
  [attributeTypes.pseudonym, 'pseudonym'],
  [attributeTypes.emailAddress, 'emailAddress'],
  [attributeTypes.domainComponent, 'DC'],
  [attributeTypes.userId, 'UID'],
]);

/** Extensions of certificates, of CRLs and of their entries. */
export const extensionIds = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  cRLNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCRLIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  nameConstraints: '2.5.29.30',
  cRLDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extKeyUsage: '2.5.29.37',
  freshestCRL: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  tlsFeature: '1.3.6.1.5.5.7.1.24',
} as const;

/** Key purposes of the extended key usage extension. */
export const keyPurposes = {
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** Types of OCSP responses, and extensions of requests and responses (RFC 6960 §4.2.1, §4.4). */
export const ocspIds = {
  basic: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  response: '1.3.6.1.5.5.7.48.1.4',
} as const;

/** Public key algorithms, as they stand in a SubjectPublicKeyInfo. */
export const keyAlgorithms = {
  rsaEncryption: '1.2.840.113549.1.1.1',
  rsassaPss: '1.2.840.113549.1.1.10',
  dsa: '1.2.840.10040.4.1',
  ecPublicKey: '1.2.840.10045.2.1',
  x25519: '1.3.101.110',
  x448: '1.3.101.111',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
} as const;

/** Hash algorithms, as parameters of RSASSA-PSS and PBKDF2 name them. */
export const hashIds = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;

/** The mask generation function of RSASSA-PSS. */
export const mgf1 = '1.2.840.113549.1.1.8';

/** Signature algorithms, as a certificate names them. */
export const signatureIds = {
  md2WithRSAEncryption: '1.2.840.113549.1.1.2',
  md5WithRSAEncryption: '1.2.840.113549.1.1.4',
  sha1WithRSAEncryption: '1.2.840.113549.1.1.5',
  sha1WithRSASignature: '1.3.14.3.2.29',
  sha224WithRSAEncryption: '1.2.840.113549.1.1.14',
  sha256WithRSAEncryption: '1.2.840.113549.1.1.11',
  sha384WithRSAEncryption: '1.2.840.113549.1.1.12',
  sha512WithRSAEncryption: '1.2.840.113549.1.1.13',
  rsassaPss: '1.2.840.113549.1.1.10',
  dsaWithSha1: '1.2.840.10040.4.3',
  dsaWithSha224: '2.16.840.1.101.3.4.3.1',
  dsaWithSha256: '2.16.840.1.101.3.4.3.2',
  dsaWithSha384: '2.16.840.1.101.3.4.3.3',
  dsaWithSha512: '2.16.840.1.101.3.4.3.4',
  ecdsaWithSha1: '1.2.840.10045.4.1',
  ecdsaWithSha224: '1.2.840.10045.4.3.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  ed25519: keyAlgorithms.ed25519,
  ed448: keyAlgorithms.ed448,
} as const;
