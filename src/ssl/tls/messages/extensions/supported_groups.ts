/**
 * supported_groups, RFC 8446 §4.2.7 (elliptic_curves in RFC 4492 §5.1.1), codes in order of preference.
 */

import { extension, u16List } from './extension.ts';

const namedGroupList = u16List('named_group_list');

export const supportedGroups = extension('supported_groups', {
  client_hello: namedGroupList,
  // RFC 8422 has no answer in ServerHello, but servers are known that send one
  server_hello_tls12: namedGroupList,
  encrypted_extensions: namedGroupList,
});
