package trainer

import (
	"errors"
	"io/fs"
	"net"
	"os"
)

// Errors of what a trainer is told to use.
var (
	// ErrExposed: the embedded broker was to listen beyond this machine without
	// being able to tell devices apart.
	ErrExposed = errors.New("beyond loopback only with a TLS certificate and an authority for client certificates")
	// ErrAddress: Options.Listen is no address.
	ErrAddress = errors.New("no address to listen at, want HOST:PORT with a port from 0 to 65535")
	// ErrListen: nothing can listen at that address now.
	ErrListen = errors.New("cannot listen")
	// ErrBroker: Options.BrokerURL, or its TLS configuration, cannot be used.
	ErrBroker = errors.New("no usable broker URL")
	// ErrCertificate: a file with a certificate or a private key cannot be used.
	ErrCertificate = errors.New("no usable certificate or key")
)

// finding is what the system found, without the calls, addresses and paths that
// the standard library puts before it and that the caller names already.
func finding(err error) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err
}
