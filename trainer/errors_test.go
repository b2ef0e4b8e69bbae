package trainer

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"kedge/trainer/release"
)

// What people read has the object once, and nothing of the calls behind it.
func TestListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := newDir(t)
	for _, c := range []struct {
		o    Options
		want error
		text string
	}{
		{Options{Listen: taken.Addr().String()}, ErrListen, taken.Addr().String() + ": cannot listen: address already in use"},
		{Options{Listen: "127.0.0.1"}, ErrAddress, `"127.0.0.1": ` + ErrAddress.Error()},
		{Options{Listen: "127.0.0.1:mqtt"}, ErrAddress, `"127.0.0.1:mqtt": ` + ErrAddress.Error()},
		{Options{BrokerURL: "127.0.0.1:1883"}, ErrBroker, ErrBroker.Error() + ": broker URL cannot be read, want for example mqtts://broker.example:8883"},
	} {
		c.o.Dir = dir
		got, err := Open(context.Background(), c.o)
		if err == nil {
			got.Close()
		}
		if !errors.Is(err, c.want) || err.Error() != c.text {
			t.Errorf("%+v: got %v, want %s", c.o.Listen+c.o.BrokerURL, err, c.text)
		}
	}
}

func TestCertificateErrors(t *testing.T) {
	dir := newDir(t)
	authority, err := release.LoadAuthority(filepath.Join(dir, "keys"), nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Server([]string{"localhost"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, foreign, err := authority.Server([]string{"localhost"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	goodCert, goodKey, otherKey, empty := file("c", cert), file("k", key), file("o", foreign), file("e", nil)
	damaged := file("d", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	ca, none := filepath.Join(dir, "keys", "ca.crt"), filepath.Join(dir, "none")
	prefix := ": " + ErrCertificate.Error() + ": "
	for _, c := range []struct{ cert, key, ca, want string }{
		{goodCert, goodKey, ca, ""},
		{none, goodKey, ca, none + prefix + "no such file or directory"},
		{empty, goodKey, ca, empty + prefix + "holds no certificate in PEM"},
		{damaged, goodKey, ca, damaged + prefix + "certificate 1 is damaged"},
		{goodCert, goodCert, ca, goodCert + prefix + "holds no private key in PEM"},
		{goodCert, otherKey, ca, otherKey + prefix + "not the key of " + goodCert + ", or of a kind that is not supported"},
		{goodCert, goodKey, goodKey, goodKey + prefix + "holds no certificate in PEM"},
	} {
		_, err := ServerTLS(c.cert, c.key, c.ca)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || (err != nil) != errors.Is(err, ErrCertificate) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
