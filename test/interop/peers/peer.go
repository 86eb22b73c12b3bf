// A TLS peer in Go's crypto/tls for the interop matrix: one process that is server and client of many cells.
// usage: peer DIR SUITES PAYLOAD
// DIR has KIND.pem, KIND.key and ca.pem; SUITES lists the suites (CODE NAME ... a line) of the matrix.
//
// Says on standard output: `suite NAME` for each suite it has, `kind KIND PORT` for each kind of certificate,
// at whose port it echoes, then `ready`. Each line `ID PORT VERSION SUITE KIND` of standard input makes a
// client that verifies the server as localhost, sends PAYLOAD, expects it back, and says `ID ok` or
// `ID failed REASON`.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var versions = map[string]uint16{
	"tlsv1": tls.VersionTLS10, "tlsv1.1": tls.VersionTLS11,
	"tlsv1.2": tls.VersionTLS12, "tlsv1.3": tls.VersionTLS13,
}

const limit = 20 * time.Second

func main() {
	directory, suitesFile, payloadFile := os.Args[1], os.Args[2], os.Args[3]
	pem, err := os.ReadFile(filepath.Join(directory, "ca.pem"))
	check(err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatal("no CA certificate")
	}
	payload, err := os.ReadFile(payloadFile)
	check(err)
	codes := suitesOf(suitesFile)
	for _, kind := range []string{"rsa", "rsa_pss", "p256", "p384", "ed25519", "dsa", "ecdh_rsa"} {
		serve(directory, kind, codes)
	}
	fmt.Println("ready")

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		go func() {
			if err := meet(words[1], versions[words[2]], codes[words[3]], roots, payload); err != nil {
				fmt.Printf("%s failed %v\n", words[0], err)
			} else {
				fmt.Printf("%s ok\n", words[0])
			}
		}()
	}
}

// The suites of the list that Go has, by their names in the registry.
func suitesOf(file string) map[string]uint16 {
	known := map[uint16]bool{}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		known[suite.ID] = true
	}
	list, err := os.ReadFile(file)
	check(err)
	codes := map[string]uint16{}
	for _, line := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		var code uint16
		var name string
		_, err := fmt.Sscanf(line, "%x %s", &code, &name)
		check(err)
		if known[code] {
			codes[name] = code
			fmt.Println("suite", name)
		}
	}
	return codes
}

// Echoes on a port of its own, with every version and suite; says nothing of a kind that Go cannot load.
func serve(directory, kind string, codes map[string]uint16) {
	base := filepath.Join(directory, kind)
	pair, err := tls.LoadX509KeyPair(base+".pem", base+".key")
	if err != nil {
		return
	}
	if leaf, err := x509.ParseCertificate(pair.Certificate[0]); err != nil || leaf.PublicKey == nil {
		return
	}
	all := []uint16{}
	for _, code := range codes {
		all = append(all, code)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS10, Certificates: []tls.Certificate{pair}, CipherSuites: all,
	})
	check(err)
	fmt.Println("kind", kind, listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			connection, err := listener.Accept()
			check(err)
			go func() {
				connection.SetDeadline(time.Now().Add(limit))
				io.Copy(connection, connection)
				connection.Close()
			}()
		}
	}()
}

func meet(port string, version, suite uint16, roots *x509.CertPool, payload []byte) error {
	dialer := &net.Dialer{Timeout: limit}
	connection, err := tls.DialWithDialer(dialer, "tcp", "127.0.0.1:"+port, &tls.Config{
		MinVersion: version, MaxVersion: version, CipherSuites: []uint16{suite},
		RootCAs: roots, ServerName: "localhost",
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(limit))
	if _, err := connection.Write(payload); err != nil {
		return err
	}
	back := make([]byte, len(payload))
	if _, err := io.ReadFull(connection, back); err != nil {
		return err
	}
	if !bytes.Equal(back, payload) {
		return fmt.Errorf("other bytes came back")
	}
	if got := connection.ConnectionState(); got.Version != version {
		return fmt.Errorf("version %x", got.Version)
	}
	return nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
