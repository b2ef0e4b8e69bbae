package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// schemes lists the URL schemes and whether they mean TLS.
var schemes = map[string]bool{"tcp": false, "mqtt": false, "ssl": true, "tls": true, "mqtts": true}

// broker is where to connect.
type broker struct {
	url     string // as given; it carries no secret
	address string // host:port
	host    string
	tls     *tls.Config // nil: plain
}

// parseBroker reads a broker's URL.
func parseBroker(raw string, config *tls.Config) (broker, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return broker{}, errors.New("mqtt: broker URL cannot be read, want for example mqtts://broker.example:8883")
	}
	secure, known := schemes[u.Scheme]
	switch {
	case u.User != nil:
		return broker{}, fmt.Errorf("mqtt: broker URL for %s holds a user name, want it in the options beside the URL", u.Host)
	case !known:
		return broker{}, fmt.Errorf("mqtt: broker URL %q: scheme %q, want tcp, mqtt, ssl, tls or mqtts", raw, u.Scheme)
	case u.Hostname() == "":
		return broker{}, fmt.Errorf("mqtt: broker URL %q names no host", raw)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return broker{}, fmt.Errorf("mqtt: broker URL %q: want nothing after the port", raw)
	case !secure && config != nil:
		return broker{}, fmt.Errorf("mqtt: broker URL %q is not encrypted but TLS is configured, want mqtts://", raw)
	}
	b := broker{url: raw, host: u.Hostname()}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "1883", true: "8883"}[secure]
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return broker{}, fmt.Errorf("mqtt: broker URL %q: port %s, want 1 to 65535", raw, port)
	}
	b.address = net.JoinHostPort(b.host, port)
	if secure {
		b.tls = secureConfig(config, b.host)
	}
	return b, nil
}

// secureConfig completes a TLS configuration for one host.
func secureConfig(config *tls.Config, host string) *tls.Config {
	c := &tls.Config{}
	if config != nil {
		c = config.Clone()
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	if c.ServerName == "" {
		c.ServerName = host
	}
	return c
}

// dial opens the network connection and does the TLS handshake.
func (b broker) dial(ctx context.Context, o *Options) (net.Conn, error) {
	conn, err := o.Dial(ctx, "tcp", b.address)
	if err != nil {
		return nil, err
	}
	if b.tls != nil {
		secure := tls.Client(conn, b.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		conn = secure
	}
	return conn, nil
}

// TLSConfig reads PEM files into a configuration for TLS 1.2 and later. caFile names
// the authorities that may vouch for the broker, "" means the system's; certFile and
// keyFile are the client's certificate and key, both or neither. now is the clock
// for certificates' validity: a device without a clock chip passes the later of its
// clock and its trusted-time floor. nil means time.Now.
func TLSConfig(caFile, certFile, keyFile string, now func() time.Time) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, Time: now}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("mqtt: CA file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("mqtt: CA file %s holds no PEM certificate", caFile)
		}
	}
	if (certFile == "") != (keyFile == "") {
		return nil, errors.New("mqtt: want both a client certificate and its key, or neither")
	}
	if certFile != "" {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("mqtt: client certificate %s: %w", certFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// advice says what a person can do about a failed connection.
func advice(err error) string {
	certInvalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, isHostname := errors.AsType[x509.HostnameError](err)
	_, isDNS := errors.AsType[*net.DNSError](err)
	_, isNet := errors.AsType[net.Error](err)
	switch {
	case isInvalid && certInvalid.Reason == x509.Expired:
		return "check this machine's clock, then the broker's certificate"
	case isUnknown:
		return "configure the authority that signed the broker's certificate"
	case isHostname:
		return "use the host name that the broker's certificate is for"
	case isDNS:
		return "check the broker's name and this machine's DNS"
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return "check user name, password or client certificate, and the broker's access list"
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return "check the client id against the broker's rules"
	case errors.Is(err, ErrRefused):
		return "allow the topic in the broker's access list"
	case isNet:
		return "check that the broker runs and that address, port and firewall let this machine reach it"
	}
	return "see the broker's log"
}
