package release

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kedge/telemetry/trust"
)

func initKeys(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := Init(dir, InitOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestInit(t *testing.T) {
	dir := initKeys(t)
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	root := keys.document.Roles[trust.RoleRoot]
	if len(root.KeyIDs) != 3 || root.Threshold != 2 || keys.Root().Version() != 1 {
		t.Errorf("got %d root keys, threshold %d, version %d, want 3, 2, 1", len(root.KeyIDs), root.Threshold, keys.Root().Version())
	}
	secrets := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".key" {
			secrets++
			info, err := d.Info()
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: got mode %v, %v, want 0600", path, info.Mode(), err)
			}
		}
		return err
	})
	if err != nil || secrets != 6 {
		t.Errorf("got %d keys, %v, want 6: three root, release, assign, authority", secrets, err)
	}
	if err := Init(dir, InitOptions{}); !errors.Is(err, ErrKeysExist) {
		t.Errorf("second Init: got %v, want ErrKeysExist", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, offlineDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeys(dir); err != nil {
		t.Errorf("without offline keys: got %v, want the online ones to do", err)
	}
	for _, o := range []InitOptions{{RootKeys: 1, Threshold: 2}, {RootKeys: 17}, {RootKeys: -1}} {
		if err := Init(t.TempDir(), o); err == nil {
			t.Errorf("%+v: got no error", o)
		}
	}
}

func TestRotate(t *testing.T) {
	dir := initKeys(t)
	before, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Rotate(dir, RotateOptions{}); err == nil {
		t.Error("nothing chosen: got no error")
	}
	for i, o := range []RotateOptions{{Release: true}, {Root: true}, {Root: true, Assign: true}} {
		version, err := Rotate(dir, o)
		if err != nil || version != uint64(i+2) {
			t.Fatalf("%+v: got version %d, %v, want %d", o, version, err, i+2)
		}
	}
	after, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	// A device that was enrolled with version 1 follows step by step.
	device := before.Root()
	for _, envelope := range after.RootEnvelopes()[1:] {
		if device, err = device.Next(envelope); err != nil {
			t.Fatal(err)
		}
	}
	signed, err := trust.Sign(trust.TypeReference, struct{}{}, after.release)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := device.Verify(trust.RoleRelease, trust.TypeReference, signed); err != nil {
		t.Errorf("new release key: got %v", err)
	}
	if _, err := before.Root().Verify(trust.RoleRelease, trust.TypeReference, signed); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("old root: got %v, want ErrSignature", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, offlineDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := Rotate(dir, RotateOptions{Assign: true}); !errors.Is(err, ErrNoKey) {
		t.Errorf("without root keys: got %v, want ErrNoKey", err)
	}
}

func TestLoadKeysRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(dir string, k *Keys) error
		want  error
	}{
		{"no folder", func(dir string, _ *Keys) error { return os.RemoveAll(dir) }, fs.ErrNotExist},
		{"no release key", func(dir string, k *Keys) error {
			return os.Remove(keyPath(dir, trust.RoleRelease, k.release.KeyID()))
		}, ErrNoKey},
		{"another key under its name", func(dir string, k *Keys) error {
			return os.Rename(keyPath(dir, trust.RoleAssign, k.assign.KeyID()), keyPath(dir, trust.RoleRelease, k.release.KeyID()))
		}, ErrNoKey},
		{"foreign second root", func(dir string, _ *Keys) error {
			return os.WriteFile(rootPath(dir, 2), []byte("{}"), 0o600)
		}, nil},
	} {
		dir := initKeys(t)
		k, err := LoadKeys(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(dir, k); err != nil {
			t.Fatal(err)
		}
		_, err = LoadKeys(dir)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// request makes a certificate request as a device does.
func request(t *testing.T, subject pkix.Name) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemRequest, Bytes: der})
}

func parseCert(t *testing.T, data []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(data)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCertificates(t *testing.T) {
	dir := initKeys(t)
	ca, err := LoadAuthority(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	caPEM, err := os.ReadFile(filepath.Join(dir, caCertFile))
	if err != nil || !pool.AppendCertsFromPEM(caPEM) {
		t.Fatal("no authority", err)
	}
	verify := func(cert *x509.Certificate, usage x509.ExtKeyUsage, host string, at time.Time) error {
		_, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}, CurrentTime: at})
		return err
	}
	// Whatever the request says beside the identity has to be without effect.
	csr := request(t, pkix.Name{CommonName: "press-7", Organization: []string{"hall-2"}, OrganizationalUnit: []string{UnitSource}})

	data, id, err := ca.Device(csr, 30)
	if err != nil || id != (Identity{Site: "hall-2", Name: "press-7"}) {
		t.Fatalf("got %+v, %v", id, err)
	}
	device := parseCert(t, data)
	if len(device.Subject.OrganizationalUnit) != 0 {
		t.Errorf("got units %q, want none", device.Subject.OrganizationalUnit)
	}
	for at, ok := range map[time.Time]bool{
		time.Now(): true, time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC): true, time.Now().AddDate(0, 0, 31): false,
	} {
		if err := verify(device, x509.ExtKeyUsageClientAuth, "", at); (err == nil) != ok {
			t.Errorf("at %v: got %v, want valid %v", at, err, ok)
		}
	}
	if err := verify(device, x509.ExtKeyUsageServerAuth, "", time.Now()); err == nil {
		t.Error("a device's certificate could serve as a broker's")
	}
	data, _, err = ca.Source(csr, 30)
	if err != nil {
		t.Fatal(err)
	}
	if ou := parseCert(t, data).Subject.OrganizationalUnit; len(ou) != 1 || ou[0] != UnitSource {
		t.Errorf("got units %q, want %q", ou, UnitSource)
	}
	data, _, err = ca.Server([]string{"broker.example", "127.0.0.1"}, 30)
	if err != nil {
		t.Fatal(err)
	}
	for host, ok := range map[string]bool{"broker.example": true, "127.0.0.1": true, "other.example": false} {
		if err := verify(parseCert(t, data), x509.ExtKeyUsageServerAuth, host, time.Now()); (err == nil) != ok {
			t.Errorf("host %s: got %v, want valid %v", host, err, ok)
		}
	}
	if _, _, err := ca.Device(csr, 0); err == nil {
		t.Error("0 days: got no error")
	}
}

func TestRequestRefuses(t *testing.T) {
	good := request(t, pkix.Name{CommonName: "d", Organization: []string{"s"}})
	block, _ := pem.Decode(good)
	forged := bytes.Clone(block.Bytes)
	forged[len(forged)-1] ^= 1
	for _, c := range []struct {
		name string
		csr  []byte
		want error
	}{
		{"no PEM", []byte("hello"), ErrRequest},
		{"damaged", pem.EncodeToMemory(&pem.Block{Type: pemRequest, Bytes: block.Bytes[:40]}), ErrRequest},
		{"forged", pem.EncodeToMemory(&pem.Block{Type: pemRequest, Bytes: forged}), ErrRequest},
		{"no site", request(t, pkix.Name{CommonName: "d"}), ErrRequest},
		{"two sites", request(t, pkix.Name{CommonName: "d", Organization: []string{"a", "b"}}), ErrRequest},
		{"a name that is a topic", request(t, pkix.Name{CommonName: "d/+", Organization: []string{"s"}}), ErrRequest},
		{"no name", request(t, pkix.Name{Organization: []string{"s"}}), ErrRequest},
	} {
		if _, _, err := Request(c.csr); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}
