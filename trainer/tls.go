package trainer

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

// ServerTLS reads the embedded broker's certificate and key, and the authority
// whose certificates devices have to show, all in PEM.
func ServerTLS(certFile, keyFile, clientCA string) (*tls.Config, error) {
	cert, err := readPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	pool, err := readPool(clientCA)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}, nil
}

// ClientTLS reads what the trainer needs to connect to a broker elsewhere: the
// authority of the broker's certificate, empty for the system's, and its own
// certificate and key, empty for none.
func ClientTLS(ca, certFile, keyFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pool, err := readPool(ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	if certFile == "" && keyFile == "" {
		return config, nil
	}
	cert, err := readPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{cert}
	return config, nil
}

// readPair reads a certificate and its key. Package tls says neither which of
// the two files is wrong nor, in words that help, what is.
func readPair(certFile, keyFile string) (tls.Certificate, error) {
	var none tls.Certificate
	certs, err := readCertificates(certFile)
	if err != nil {
		return none, err
	}
	key, err := readFile(keyFile)
	if err != nil {
		return none, err
	}
	if block, _ := pem.Decode(key); block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return none, fmt.Errorf("%s: %w: holds no private key in PEM", keyFile, ErrCertificate)
	}
	pair, err := tls.X509KeyPair(certs, key)
	if err != nil {
		return none, fmt.Errorf("%s: %w: not the key of %s, or of a kind that is not supported", keyFile, ErrCertificate, certFile)
	}
	return pair, nil
}

func readPool(file string) (*x509.CertPool, error) {
	data, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	return pool, nil
}

// readCertificates reads a file of certificates in PEM, of which each is whole.
func readCertificates(file string) ([]byte, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	found := 0
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("%s: %w: certificate %d is damaged", file, ErrCertificate, found+1)
		}
		found++
	}
	if found == 0 {
		return nil, fmt.Errorf("%s: %w: holds no certificate in PEM", file, ErrCertificate)
	}
	return data, nil
}

func readFile(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", cmp.Or(file, "certificate, key or authority"), ErrCertificate, finding(err))
	}
	return data, nil
}
