/**
 * The messages without a body: HelloRequest and ServerHelloDone (RFC 5246 §7.4.1.1, §7.4.5) and
 * EndOfEarlyData (RFC 8446 §4.5).
 */

/** `HelloRequest`. */
export interface HelloRequest {
  readonly msgType: 'hello_request';
}

/** `ServerHelloDone`. */
export interface ServerHelloDone {
  readonly msgType: 'server_hello_done';
}

/** `EndOfEarlyData`. */
export interface EndOfEarlyData {
  readonly msgType: 'end_of_early_data';
}
