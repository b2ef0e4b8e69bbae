package agent

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// brokerCertificate makes a certificate for the loopback, which is its own
// authority, and writes it to a file.
func brokerCertificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(50, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(nil, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, path
}

// TestCertificateRefused: a broker that wants a certificate is not called unreachable
// for the network's sake.
func TestCertificateRefused(t *testing.T) {
	secure, ca := brokerCertificate(t)
	secure.ClientAuth = tls.RequireAnyClientCert
	_, addr := startSecureCentre(t, "", secure, "")
	c := testConfig(t)
	c.MQTT.Broker, c.MQTT.CA = "mqtts://"+addr, ca
	d := startDevice(t, c)
	eventually(t, "the advice", func() bool { return strings.Contains(d.logs.String(), `"do":"check mqtt.cert and mqtt.key`) })
	d.stop()
	d.wait()
}

// TestTLS connects with TLS and a password, on a board whose clock was never
// set: the root document tells it that the certificate is valid already.
func TestTLS(t *testing.T) {
	secure, ca := brokerCertificate(t)
	centre, addr := startSecureCentre(t, "", secure, "geheim")
	c := testConfig(t)
	c.MQTT.Broker, c.MQTT.CA, c.MQTT.Username = "mqtts://"+addr, ca, "pump-1"
	c.MQTT.PasswordFile = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(c.MQTT.PasswordFile, []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDeviceAt(t, c, func() time.Time { return time.Unix(100, 0) })
	eventually(t, "the device to be online", func() bool { return len(centre.states()) == 1 })
	d.stop()
	d.wait()
}
