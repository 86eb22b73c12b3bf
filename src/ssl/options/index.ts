/** The room's front door: option lists in, settings and engine configurations out. */

export { signatureSchemeValue } from './algorithms.ts';
export { INVALID, isUserFun, type UserFun } from './checks.ts';
export { cipherSuiteMap } from './ciphers.ts';
export type { Passwords } from './credentials.ts';
export {
  type ConfigSource,
  createConfigSource,
  engineConfig,
  mismatchedKey,
  reloadConfig,
} from './engine_config.ts';
export type { Result } from './fault.ts';
export { type FileSource, systemFiles } from './files.ts';
export { type Options, type ParseContext, parseOptions, type Role } from './parse.ts';
export { type Profile, profileNamed, profiles } from './profile.ts';
export { readSession12, readTicket, writeSession12, writeTicket } from './session_data.ts';
export { ConnectionSessions, type ServerName } from './sessions.ts';
export {
  type ActiveMode,
  changeTransport,
  ipAddress,
  isEmulated,
  type Mode,
  readChanges,
  type SocketChanges,
  type SocketOptions,
  type Timeout,
  type TransportOptions,
  tellOption,
  transportRefusal,
} from './socket_options.ts';
export { passedOverSuites } from './suite_needs.ts';
export { type Password, password, tlsOptions } from './tls_options.ts';
export { tellOptions } from './told_options.ts';
