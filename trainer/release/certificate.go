package release

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// PEM block types (RFC 7468).
const (
	pemCertificate = "CERTIFICATE"
	pemRequest     = "CERTIFICATE REQUEST"
)

// UnitSource is the organizational unit that marks the certificate of a source
// of ground truth. Devices have none.
const UnitSource = "source"

// validFrom begins every certificate's life. It lies well in the past because a
// field computer without a clock checks certificates against the time at which
// its software was built.
var validFrom = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// caYears outlives the boards: replacing the authority means visiting them.
const caYears = 50

// initCA makes a certificate authority unless dir has one.
func initCA(dir string, now time.Time) error {
	certPath := filepath.Join(dir, caCertFile)
	if _, err := os.Stat(certPath); err == nil {
		return nil
	}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make authority: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "kedge certificate authority"},
		NotBefore:             validFrom,
		NotAfter:              now.AddDate(caYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	cert, err := issue(template, template, public, key)
	if err != nil {
		return err
	}
	pemKey, err := trust.MarshalKey(key)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, offlineDir, "ca.key"), pemKey, 0o600); err != nil {
		return err
	}
	return writeFile(certPath, cert, 0o644)
}

// An Authority signs certificates for devices, sources and brokers.
type Authority struct {
	cert *x509.Certificate
	key  ed25519.PrivateKey
	now  func() time.Time
}

// LoadAuthority reads the authority that Init made in dir. Its key lies in the
// offline folder, and has to be there now. now may be nil.
func LoadAuthority(dir string, now func() time.Time) (*Authority, error) {
	if now == nil {
		now = time.Now
	}
	certPath, keyPath := filepath.Join(dir, caCertFile), filepath.Join(dir, offlineDir, "ca.key")
	data, err := os.ReadFile(certPath)
	if err != nil {
		return nil, fileError(certPath, err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemCertificate {
		return nil, fmt.Errorf("certificate %s %w", certPath, ErrDamaged)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate %s %w", certPath, ErrDamaged)
	}
	pemKey, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, fileError(keyPath, err)
	}
	key, err := trust.ParseKey(pemKey)
	if err != nil {
		return nil, fmt.Errorf("private key %s %w", keyPath, ErrDamaged)
	}
	if !key.Public().(ed25519.PublicKey).Equal(cert.PublicKey) {
		return nil, fmt.Errorf("%s: not the key of %s: %w", keyPath, certPath, ErrNoKey)
	}
	return &Authority{cert: cert, key: key, now: now}, nil
}

// Identity is whom a certificate is for.
type Identity struct {
	Site string // organization
	Name string // common name: a device's or a source's
}

// Request reads a certificate request in PEM and returns the identity that it
// asks for and its public key, after checking that it is signed with that key
// and that both names can be parts of a topic.
func Request(csr []byte) (Identity, crypto.PublicKey, error) {
	block, _ := pem.Decode(csr)
	if block == nil || block.Type != pemRequest {
		return Identity{}, nil, fmt.Errorf("no PEM block %q found: %w", pemRequest, ErrRequest)
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return Identity{}, nil, fmt.Errorf("its content is damaged: %w", ErrRequest)
	}
	if err := r.CheckSignature(); err != nil {
		return Identity{}, nil, fmt.Errorf("its signature is not of its own key, or of a kind that is not supported: %w", ErrRequest)
	}
	if len(r.Subject.Organization) != 1 {
		return Identity{}, nil, fmt.Errorf("organization %q, want one site: %w", r.Subject.Organization, ErrRequest)
	}
	id := Identity{Site: r.Subject.Organization[0], Name: r.Subject.CommonName}
	for _, part := range []struct{ part, name string }{{"organization (site)", id.Site}, {"common name (device)", id.Name}} {
		if wire.CheckName(part.name) != nil {
			return Identity{}, nil, fmt.Errorf("%s %.80q, want 1 to 64 letters, digits, dots, underscores or hyphens, beginning with a letter or digit: %w",
				part.part, part.name, ErrRequest)
		}
	}
	return id, r.PublicKey, nil
}

// Device grants a device's request for some days. Of the request's subject only
// the identity is taken over.
func (a *Authority) Device(csr []byte, days int) ([]byte, Identity, error) {
	return a.client(csr, days, nil)
}

// Source grants the request of a source of ground truth.
func (a *Authority) Source(csr []byte, days int) ([]byte, Identity, error) {
	return a.client(csr, days, []string{UnitSource})
}

func (a *Authority) client(csr []byte, days int, units []string) ([]byte, Identity, error) {
	id, public, err := Request(csr)
	if err != nil {
		return nil, Identity{}, err
	}
	cert, err := a.grant(&x509.Certificate{
		Subject:     pkix.Name{CommonName: id.Name, Organization: []string{id.Site}, OrganizationalUnit: units},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, public, days)
	return cert, id, err
}

// Server makes a key and a certificate for a broker that is reached under the
// hosts, names or addresses. It serves as a client's too, so that the centre can
// connect with it to a broker elsewhere.
func (a *Authority) Server(hosts []string, days int) (cert, key []byte, err error) {
	if len(hosts) == 0 {
		return nil, nil, fmt.Errorf("server certificate: no host given")
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, nil, fmt.Errorf("make server key: %w", err)
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if err := CheckHost(host); err != nil {
			return nil, nil, fmt.Errorf("server certificate: %w", err)
		}
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if cert, err = a.grant(template, public, days); err != nil {
		return nil, nil, err
	}
	key, err = trust.MarshalKey(private)
	return cert, key, err
}

// hostForm is a DNS name (RFC 1123, section 2.1), maybe with an underscore, as
// networks that nobody registers have them.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$`)

// CheckHost reports what keeps a text from being a host's name or address.
func CheckHost(host string) error {
	if net.ParseIP(host) == nil && (len(host) > 253 || !hostForm.MatchString(host)) {
		return fmt.Errorf("host %.80q: want a name such as broker.example or an IP address, without scheme and port", host)
	}
	return nil
}

func (a *Authority) grant(template *x509.Certificate, public crypto.PublicKey, days int) ([]byte, error) {
	if days < 1 {
		return nil, fmt.Errorf("certificate for %d days, want at least 1", days)
	}
	template.NotBefore = validFrom
	template.NotAfter = a.now().AddDate(0, 0, days)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	return issue(template, a.cert, public, a.key)
}

// issue signs a certificate with a random serial number (CA/Browser Forum: at
// least 64 bits) and returns it in PEM.
func issue(template, parent *x509.Certificate, public crypto.PublicKey, key ed25519.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate for %s: %w", template.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: der}), nil
}
