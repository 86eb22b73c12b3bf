// A TLS peer in Java's JSSE for the interop matrix.
// usage: java Peer server|client PORT VERSION CA KEYSTORE   (KEYSTORE: PKCS #12, password "secret")
// Server: prints "ready", takes one connection and echoes one line.
// Client: verifies the server as localhost, sends "ping", expects it back, exits 0.
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class Peer {
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[1]);
    String[] versions = {args[2].equals("tlsv1.3") ? "TLSv1.3" : "TLSv1.2"};
    char[] password = "secret".toCharArray();

    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(new FileInputStream(args[4]), password);
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, password);

    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("ca",
        CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(args[3])));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);

    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), trust.getTrustManagers(), null);

    if (args[0].equals("server")) {
      SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory()
          .createServerSocket(port, 1, InetAddress.getByName("127.0.0.1"));
      listener.setEnabledProtocols(versions);
      System.out.println("ready");
      System.out.flush();
      try (SSLSocket socket = (SSLSocket) listener.accept()) {
        socket.getOutputStream().write((line(socket) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    } else {
      try (SSLSocket socket =
          (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
        socket.setEnabledProtocols(versions);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.getOutputStream().write("ping\n".getBytes(StandardCharsets.UTF_8));
        if (!"ping".equals(line(socket))) {
          throw new IllegalStateException("another line came back");
        }
      }
    }
  }

  private static String line(SSLSocket socket) throws Exception {
    return new BufferedReader(
        new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8)).readLine();
  }
}
