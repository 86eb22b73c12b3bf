// A TLS peer in Go's crypto/tls for the interop matrix.
// usage: peer server|client PORT VERSION CA CERT KEY
// Server: prints "ready", takes one connection and echoes one line.
// Client: verifies the server as localhost, sends "ping", expects it back, exits 0.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
)

func main() {
	role, port, version, ca, cert, key := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	versions := map[string]uint16{"tlsv1.2": tls.VersionTLS12, "tlsv1.3": tls.VersionTLS13}
	pair, err := tls.LoadX509KeyPair(cert, key)
	check(err)
	pem, err := os.ReadFile(ca)
	check(err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatal("no CA certificate")
	}
	config := &tls.Config{
		MinVersion:   versions[version],
		MaxVersion:   versions[version],
		Certificates: []tls.Certificate{pair},
		RootCAs:      roots,
		ServerName:   "localhost",
	}
	if role == "server" {
		listener, err := tls.Listen("tcp", "127.0.0.1:"+port, config)
		check(err)
		fmt.Println("ready")
		connection, err := listener.Accept()
		check(err)
		line, err := bufio.NewReader(connection).ReadString('\n')
		check(err)
		_, err = connection.Write([]byte(line))
		check(err)
		check(connection.Close())
		return
	}
	connection, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
	check(err)
	_, err = connection.Write([]byte("ping\n"))
	check(err)
	line, err := bufio.NewReader(connection).ReadString('\n')
	check(err)
	if line != "ping\n" {
		log.Fatalf("got %q", line)
	}
	check(connection.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
