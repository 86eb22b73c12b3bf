// A TLS peer in Node.js for the interop matrix, in the JavaScript of its oldest release: one process that
// is server and client of many cells. Arguments and lines are those of peer.go; SUITES has the names of
// OpenSSL in its third column.
'use strict';

var fs = require('fs');
var path = require('path');
var readline = require('readline');
var tls = require('tls');

var directory = process.argv[2];
var payload = fs.readFileSync(process.argv[4]);
var ca = fs.readFileSync(path.join(directory, 'ca.pem'), 'binary').split(/(?=-----BEGIN)/);
var LIMIT = 20000;
// From OpenSSL 1.1.0 on there are security levels, and obsolete things need the lowest.
var LEVEL = parseInt(process.versions.openssl, 10) >= 3 ? ':@SECLEVEL=0' : '';
// Before OpenSSL 1.0.2 a server has one curve, and a client all.
var CURVES = /^1\.0\.1/.test(process.versions.openssl) ? 'prime256v1' : 'auto';
var METHODS = {
  sslv3: 'SSLv3_method',
  tlsv1: 'TLSv1_method',
  'tlsv1.1': 'TLSv1_1_method',
  'tlsv1.2': 'TLSv1_2_method',
};

// Names in the registry to the names of this OpenSSL.
var suites = {};

function complain(error) {
  console.error('server: ' + error);
}

function say(line) {
  process.stdout.write(line + '\n');
}

// What OpenSSL 1.0 has besides the list that Node.js gives, which leaves these out.
function unlisted(words) {
  return (
    !LEVEL &&
    /^(ADH|AECDH)-|NULL/.test(words[2]) &&
    /rc4|3des|aes_\d+_(cbc|gcm)|null/.test(words[4])
  );
}

function listSuites() {
  var known = tls.getCiphers();
  var lines = fs.readFileSync(process.argv[3], 'binary').trim().split('\n');
  lines.forEach(function (line) {
    var words = line.split(' ');
    if (/psk|srp/.test(words[3])) return; // no release lets programs use both ends of these
    var forms = [words[1], words[2], words[2].replace(/^DHE-(.*DES)/, 'EDH-$1')];
    forms.forEach(function (form) {
      var listed = known.indexOf(form.toLowerCase()) >= 0;
      if (listed || (form === words[2] && unlisted(words))) suites[words[1]] = form;
    });
    if (suites[words[1]]) say('suite ' + words[1]);
  });
}

function all() {
  var names = Object.keys(suites).map(function (name) {
    return suites[name];
  });
  return names.join(':') + LEVEL;
}

function serve(kind, ready) {
  var base = path.join(directory, kind);
  var options = {
    key: fs.readFileSync(base + '.key'),
    cert: fs.readFileSync(base + '.pem'),
    dhparam: fs.readFileSync(path.join(directory, 'dh.pem')),
    ciphers: all(),
    handshakeTimeout: LIMIT,
    ecdhCurve: CURVES,
    NPNProtocols: ['interop'],
  };
  if (LEVEL) options.minVersion = 'TLSv1';
  else options.secureProtocol = 'SSLv23_method';
  var server;
  try {
    server = tls.createServer(options, function (socket) {
      socket.on('error', complain);
      socket.pipe(socket);
    });
  } catch (error) {
    return ready(); // this release cannot load such a key
  }
  server.on('clientError', complain);
  server.on('tlsClientError', complain);
  server.listen(0, '127.0.0.1', function () {
    say('kind ' + kind + ' ' + server.address().port);
    ready();
  });
}

// `what` is a group, or `npn` to take part in NPN.
function meet(id, port, version, suite, what) {
  var options = {
    host: 'localhost',
    port: port,
    servername: 'localhost',
    ca: ca,
    ciphers: suites[suite] + (version === 'tlsv1.3' ? ':AES128-SHA' : '') + LEVEL, // one before 1.3 must be there
    rejectUnauthorized: !/_anon_/.test(suite),
    ecdhCurve: what && what !== 'npn' ? what : CURVES,
  };
  if (what === 'npn') options.NPNProtocols = ['interop'];
  if (LEVEL) {
    options.minVersion = version.replace('tlsv', 'TLSv');
    options.maxVersion = options.minVersion;
    options.minDHSize = 1024;
  } else {
    options.secureProtocol = METHODS[version];
  }
  var said = false;
  function end(result) {
    if (said) return;
    said = true;
    clearTimeout(timer);
    say(id + ' ' + result);
    if (socket) socket.destroy();
  }
  var timer = setTimeout(function () {
    end('failed timeout');
  }, LIMIT);
  var chunks = [];
  var length = 0;
  var socket;
  try {
    socket = tls.connect(options, function () {
      socket.write(payload);
    });
  } catch (error) {
    return end('failed ' + error.message);
  }
  socket.on('data', function (chunk) {
    chunks.push(chunk);
    length += chunk.length;
    if (length < payload.length) return;
    var same = Buffer.concat(chunks).toString('binary') === payload.toString('binary');
    end(same ? 'ok' : 'failed other bytes came back');
  });
  socket.on('error', function (error) {
    end('failed ' + String(error.message).split('\n')[0]);
  });
  socket.on('close', function () {
    end('failed the server closed');
  });
}

listSuites();
var kinds = ['rsa', 'rsa_pss', 'p256', 'p384', 'ed25519', 'dsa', 'ecdh_rsa'];
(function next() {
  var kind = kinds.shift();
  if (kind) return serve(kind, next);
  say('ready');
  readline
    .createInterface({ input: process.stdin, output: fs.createWriteStream('/dev/null') })
    .on('line', function (line) {
      var words = line.split(' ');
      meet(words[0], Number(words[1]), words[2], words[3], words[5]);
    })
    .on('close', function () {
      process.exit(0);
    });
})();
