/** Methods and header fields that are atoms in Erlang: those that `erlang:decode_packet/3` knows. */

/** The methods. */
export const httpMethods: ReadonlySet<string> = new Set(
  'OPTIONS GET HEAD POST PUT DELETE TRACE'.split(' '),
);

const fields = `
  Cache-Control Connection Date Pragma Transfer-Encoding Upgrade Via Accept Accept-Charset
  Accept-Encoding Accept-Language Authorization From Host If-Modified-Since If-Match If-None-Match
  If-Range If-Unmodified-Since Max-Forwards Proxy-Authorization Range Referer User-Agent Age Location
  Proxy-Authenticate Public Retry-After Server Vary Warning Www-Authenticate Allow Content-Base
  Content-Encoding Content-Language Content-Length Content-Location Content-Md5 Content-Range
  Content-Type Etag Expires Last-Modified Accept-Ranges Set-Cookie Set-Cookie2 X-Forwarded-For Cookie
  Keep-Alive Proxy-Connection
`;

/** The header fields, each with its number in a `http_header` tuple. */
export const httpFields: ReadonlyMap<string, number> = new Map(
  fields
    .trim()
    .split(/\s+/)
    .map((name, index) => [name, index + 1]),
);
