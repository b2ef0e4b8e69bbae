package agent

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// checkTLSFiles says which key of the configuration names a file that TLS cannot
// use, and why, where package tls speaks of its own insides.
func checkTLSFiles(m MQTTConfig) error {
	if m.CA != "" {
		data, err := readTLSFile("mqtt.ca", m.CA)
		if err != nil {
			return err
		}
		if !x509.NewCertPool().AppendCertsFromPEM(data) {
			return fmt.Errorf("mqtt.ca: %s: %w", m.CA, errNoCertificate)
		}
	}
	if m.Cert == "" || m.Key == "" {
		return nil
	}
	cert, err := readTLSFile("mqtt.cert", m.Cert)
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(cert) {
		return fmt.Errorf("mqtt.cert: %s: %w", m.Cert, errNoCertificate)
	}
	key, err := readTLSFile("mqtt.key", m.Key)
	if err != nil {
		return err
	}
	if block, _ := pem.Decode(key); block == nil {
		return fmt.Errorf("mqtt.key: %s: %w", m.Key, errNoKey)
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return fmt.Errorf("mqtt.key: %s: %w that fits the certificate %s", m.Key, errNoKey, m.Cert)
	}
	return nil
}

// What a file of a certificate or key lacks.
var (
	errNoCertificate = errors.New("holds no certificate, want one in PEM form")
	errNoKey         = errors.New("holds no private key in PEM form")
)

func readTLSFile(key, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(key, path, err)
	}
	if err := checkRegular(key, path, info); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(key, path, err)
	}
	return data, nil
}
