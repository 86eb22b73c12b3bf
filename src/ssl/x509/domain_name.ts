/** Domain names in the preferred syntax, as certificates and references use them. RFC 1034 §3.5, RFC 5890. */

/** RFC 1035 §2.3.4: at most 63 octets; the underscore is not allowed there, but it is in use. */
const labelPattern = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/;

/** The labels of a domain name in lower case; a label may be `*`. `undefined` for anything else. */
export function domainLabels(text: string): string[] | undefined {
  if (text.length === 0 || text.length > 253) return undefined;
  const labels = text.toLowerCase().split('.');
  return labels.every((label) => labelPattern.test(label)) ? labels : undefined;
}
