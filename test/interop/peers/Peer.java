// A TLS peer in Java's JSSE for the interop matrix: one process that is server and client of many cells.
// usage: java -Djava.security.properties=java.security Peer DIR SUITES PAYLOAD
// DIR has KIND.p12 (password "secret") and the roots; arguments and lines are those of peer.go.
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

public class Peer {
  private static final int LIMIT = 20_000;
  private static final char[] PASSWORD = "secret".toCharArray();
  private static final Map<String, String> VERSIONS = Map.of("sslv3", "SSLv3", "tlsv1", "TLSv1",
      "tlsv1.1", "TLSv1.1", "tlsv1.2", "TLSv1.2", "tlsv1.3", "TLSv1.3");

  private final Path directory;
  private final byte[] payload;
  private final SSLContext client;
  /** Names in the registry to Java's names, which are older for the oldest suites. */
  private final Map<String, String> suites = new HashMap<>();

  public static void main(String[] args) throws Exception {
    new Peer(Path.of(args[0]), Path.of(args[1]), Path.of(args[2])).run();
  }

  private Peer(Path directory, Path list, Path payload) throws Exception {
    this.directory = directory;
    this.payload = Files.readAllBytes(payload);
    client = context(null);
    List<String> known = Arrays.asList(client.getSupportedSSLParameters().getCipherSuites());
    for (String line : Files.readAllLines(list)) {
      String name = line.split(" ")[1];
      for (String form : new String[] {name, name.replaceFirst("^TLS_", "SSL_")}) {
        if (known.contains(form)) {
          suites.put(name, form);
        }
      }
    }
  }

  private void run() throws Exception {
    suites.keySet().forEach(name -> say("suite " + name));
    for (String kind : new String[] {"rsa", "rsa_pss", "p256", "p384", "ed25519", "dsa", "ecdh_rsa"}) {
      serve(kind);
    }
    say("ready");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split(" ");
      new Thread(() -> {
        try {
          boolean ssl2Hello = words.length > 5 && words[5].equals("ssl2_hello");
          meet(Integer.parseInt(words[1]), VERSIONS.get(words[2]), suites.get(words[3]), ssl2Hello);
          say(words[0] + " ok");
        } catch (Exception e) {
          say(words[0] + " failed " + e);
        }
      }).start();
    }
    System.exit(0);
  }

  private static void say(String line) {
    synchronized (System.out) {
      System.out.println(line);
      System.out.flush();
    }
  }

  private void serve(String kind) throws Exception {
    SSLServerSocket listener = (SSLServerSocket) context(kind).getServerSocketFactory()
        .createServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    listener.setEnabledProtocols(VERSIONS.values().toArray(new String[0]));
    listener.setEnabledCipherSuites(suites.values().toArray(new String[0]));
    say("kind " + kind + " " + listener.getLocalPort());
    Thread accepting = new Thread(() -> {
      while (true) {
        try {
          SSLSocket socket = (SSLSocket) listener.accept();
          new Thread(() -> echo(socket)).start();
        } catch (IOException e) {
          return;
        }
      }
    });
    accepting.setDaemon(true);
    accepting.start();
  }

  private static void echo(SSLSocket socket) {
    try (socket) {
      socket.setSoTimeout(LIMIT);
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (IOException e) {
      System.err.println("server: " + e);
    }
  }

  private void meet(int port, String version, String suite, boolean ssl2Hello) throws Exception {
    try (SSLSocket socket = (SSLSocket) client.getSocketFactory().createSocket("localhost", port)) {
      socket.setSoTimeout(LIMIT);
      // A pseudo protocol: the ClientHello comes in the form of SSL 2.0 (RFC 5246 appendix E.2).
      socket.setEnabledProtocols(
          ssl2Hello ? new String[] {"SSLv2Hello", version} : new String[] {version});
      socket.setEnabledCipherSuites(new String[] {suite});
      if (!suite.contains("_anon_")) {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
      }
      socket.getOutputStream().write(payload);
      byte[] back = new byte[payload.length];
      new DataInputStream(socket.getInputStream()).readFully(back);
      if (!Arrays.equals(back, payload)) {
        throw new IllegalStateException("other bytes came back");
      }
      if (!socket.getSession().getProtocol().equals(version)) {
        throw new IllegalStateException("version " + socket.getSession().getProtocol());
      }
    }
  }

  /** With the key of a kind, or with none; trusting both roots. */
  private SSLContext context(String kind) throws Exception {
    KeyManager[] own = null;
    if (kind != null) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      try (InputStream file = new FileInputStream(directory.resolve(kind + ".p12").toFile())) {
        keys.load(file, PASSWORD);
      }
      KeyManagerFactory managers =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      managers.init(keys, PASSWORD);
      own = managers.getKeyManagers();
    }
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    try (InputStream file = new FileInputStream(directory.resolve("ca.pem").toFile())) {
      for (Certificate root : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
        trusted.setCertificateEntry("ca" + trusted.size(), root);
      }
    }
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    TrustManager[] trust = managers.getTrustManagers();
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own, trust, null);
    return context;
  }
}
