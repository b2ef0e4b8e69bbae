package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/agent/buffer"
	"kedge/cmd/internal/cli"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// Files that enroll leaves in the state directory.
const (
	fileRoot      = "root.json"
	fileDeviceKey = "device.key"
	fileDeviceCSR = "device.csr"
)

func enrollCommand() cli.Command {
	return cli.Command{
		Name: "enroll", Summary: "make this device's key and say whom it trusts",
		Detail: `
Makes the device's Ed25519 key (device.key, readable by its owner only) and a certificate
request for it (device.csr), which the centre's CA signs, and keeps the root document, through
which every model is verified from then on.

Compare the printed key ids with those that the centre printed when it made its keys: whoever
can exchange the root document on its way here owns this device.

Run again with the same root document and names, it keeps key and root and writes the certificate
request anew; anything else needs --force. The agent must not be running.`,
		Setup: setupEnroll,
	}
}

func setupEnroll(fs *flag.FlagSet) cli.Run {
	var e enrollment
	fs.StringVar(&e.state, "state", "", "state `DIR` of the agent, made if absent")
	fs.StringVar(&e.site, "site", "", "`SITE` that the device stands at")
	fs.StringVar(&e.device, "device", "", "`NAME` of the device, unique at its site")
	fs.StringVar(&e.root, "root", "", "root document `FILE` of the centre")
	fs.BoolVar(&e.force, "force", false, "replace an existing key and root document")
	asJSON := fs.Bool("json", false, "print one JSON object")
	return func(_ context.Context, env cli.Env, _ []string) error {
		out, err := e.run()
		if err != nil {
			return err
		}
		if info, err := os.Stat(out.KeyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
			fmt.Fprintf(env.Stderr, "warning: %s: others may read it (mode %04o), chmod 600 keeps the key secret\n", out.KeyFile, info.Mode().Perm())
		}
		if *asJSON {
			return cli.PrintJSON(env.Stdout, out)
		}
		return out.print(env.Stdout)
	}
}

// enrollment is what the command line asks for.
type enrollment struct {
	state, site, device, root string
	force                     bool
}

// enrolled is what the command prints. The fields are those of --json.
type enrolled struct {
	Site        string              `json:"site"`
	Device      string              `json:"device"`
	KeyID       string              `json:"key_id"`
	KeyFile     string              `json:"key_file"`
	NewKey      bool                `json:"new_key"`
	RequestFile string              `json:"request_file"`
	RootVersion uint64              `json:"root_version"`
	Roles       map[string]roleKeys `json:"roles"`
}

// roleKeys is a role of the root document as a person compares it.
type roleKeys struct {
	Threshold int      `json:"threshold"`
	KeyIDs    []string `json:"key_ids"`
}

func (e *enrollment) run() (*enrolled, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	root, doc, err := readRootFile(e.root)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(e.state, 0o700); err != nil {
		return nil, permissionHint(cli.FileError(e.state, err))
	}
	if err := e.checkPresent(root); err != nil {
		return nil, err
	}
	// A running agent reads what is replaced here. Its store is the lock; where there
	// is none yet no agent runs.
	if _, err := os.Stat(filepath.Join(e.state, buffer.StateFile)); err == nil {
		store, err := buffer.Open(e.state, buffer.Options{MaxSize: largestStore})
		if err != nil {
			return nil, enrollLocked(e.state, err)
		}
		defer store.Close()
	}
	key, isNew, err := e.deviceKey()
	if err != nil {
		return nil, err
	}
	request, err := certificateRequest(key, e.site, e.device)
	if err != nil {
		return nil, err
	}
	csr := filepath.Join(e.state, fileDeviceCSR)
	if err := writeBytes(csr, request); err != nil {
		return nil, err
	}
	// The root document comes last: with it the device counts as enrolled.
	if err := writeBytes(filepath.Join(e.state, fileRoot), root); err != nil {
		return nil, err
	}
	out := &enrolled{
		Site: e.site, Device: e.device, KeyID: trust.KeyID(key.Public().(ed25519.PublicKey)), NewKey: isNew,
		KeyFile: filepath.Join(e.state, fileDeviceKey), RequestFile: csr,
		RootVersion: doc.Version, Roles: make(map[string]roleKeys),
	}
	for role, entry := range doc.Roles {
		out.Roles[string(role)] = roleKeys{entry.Threshold, entry.KeyIDs}
	}
	return out, nil
}

func (e *enrollment) check() error {
	for _, f := range []struct{ flag, value string }{{"state", e.state}, {"site", e.site}, {"device", e.device}, {"root", e.root}} {
		if f.value == "" {
			return cli.WithHint(cli.Usagef("enroll: flag --%s is missing", f.flag), "kedge enroll --help shows arguments and flags")
		}
	}
	for _, f := range []struct{ flag, value string }{{"site", e.site}, {"device", e.device}} {
		if err := wire.CheckName(f.value); err != nil {
			return cli.WithHint(cli.Usagef("enroll: flag --%s: %w", f.flag, err), "the name becomes a level of MQTT topics")
		}
	}
	return nil
}

// readRootFile reads and verifies a root document.
func readRootFile(path string) (envelope []byte, doc *trust.RootDocument, err error) {
	envelope, err = cli.ReadFileMax(path, cli.MaxDocument)
	if err != nil {
		return nil, nil, permissionHint(err)
	}
	if _, err := trust.OpenRoot(envelope); err != nil {
		return nil, nil, cli.WithHint(signatureCode(fmt.Errorf("%s: %w", path, err)), "get the root document from the centre again")
	}
	_, payload, err := trust.PayloadOf(envelope)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	doc = new(trust.RootDocument)
	if err := json.Unmarshal(payload, doc); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return envelope, doc, nil
}

// checkPresent refuses to take a device from one centre to another by mistake.
func (e *enrollment) checkPresent(root []byte) error {
	path := filepath.Join(e.state, fileRoot)
	present, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || e.force {
		return nil
	}
	if err != nil {
		return permissionHint(cli.FileError(path, err))
	}
	if !bytes.Equal(present, root) {
		return cli.WithHint(fmt.Errorf("%s: device is enrolled with another root document", path), "--force replaces key and root document")
	}
	return e.checkName()
}

// checkName refuses to give a device another name by mistake: its key is known to
// the centre under the one in its certificate request.
func (e *enrollment) checkName() error {
	path := filepath.Join(e.state, fileDeviceCSR)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil // nothing to compare with; it is written anew
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || len(request.Subject.Organization) != 1 {
		return nil
	}
	site, device := request.Subject.Organization[0], request.Subject.CommonName
	if site == e.site && device == e.device {
		return nil
	}
	return cli.WithHint(fmt.Errorf("%s: device is enrolled as %s of site %s", e.state, device, site), "--force replaces key and root document")
}

// enrollLocked is stateError with what enroll has to say about a running agent.
func enrollLocked(dir string, err error) error {
	if errors.Is(err, buffer.ErrLocked) {
		return cli.WithHint(cli.WithCode(fmt.Errorf("%s: %w", dir, err), cli.ExitLocked), "the agent is running: stop it and try again")
	}
	return stateError(dir, err)
}

// deviceKey returns the key in the state directory, made now if there is none or --force asks for another.
func (e *enrollment) deviceKey() (key ed25519.PrivateKey, isNew bool, err error) {
	path := filepath.Join(e.state, fileDeviceKey)
	data, err := os.ReadFile(path)
	switch {
	case err == nil && !e.force:
		if key, err = trust.ParseKey(data); err != nil {
			return nil, false, cli.WithHint(fmt.Errorf("%s: %w", path, err), "--force makes a new key")
		}
		return key, false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, false, permissionHint(cli.FileError(path, err))
	}
	if _, key, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, false, fmt.Errorf("device key: %w", err)
	}
	if data, err = trust.MarshalKey(key); err != nil {
		return nil, false, fmt.Errorf("device key: %w", err)
	}
	if err := writeSecret(path, data); err != nil {
		return nil, false, permissionHint(cli.FileError(path, err))
	}
	return key, true, nil
}

// writeSecret replaces a file by one that only its owner can read. At no moment
// does anybody else have it, and a failure leaves the old file.
func writeSecret(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func writeBytes(path string, data []byte) error {
	return cli.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// certificateRequest asks for a certificate for the device: the broker knows a
// client by its common name, and the organization keeps sites apart.
func certificateRequest(key ed25519.PrivateKey, site, device string) ([]byte, error) {
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: device, Organization: []string{site}}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

func (r *enrolled) print(w io.Writer) error {
	var b bytes.Buffer
	made := "kept"
	if r.NewKey {
		made = "new"
	}
	fmt.Fprintf(&b, "site      %s\ndevice    %s\n", r.Site, r.Device)
	fmt.Fprintf(&b, "key       %s (%s, %s)\n", r.KeyID, made, r.KeyFile)
	fmt.Fprintf(&b, "request   %s (let the centre sign it)\n", r.RequestFile)
	fmt.Fprintf(&b, "root      version %d\n", r.RootVersion)
	for _, role := range []trust.Role{trust.RoleRoot, trust.RoleRelease, trust.RoleAssign} {
		entry := r.Roles[string(role)]
		for i, id := range entry.KeyIDs {
			name := string(role)
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&b, "%-9s %s (%d of %d)\n", name, id, entry.Threshold, len(entry.KeyIDs))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
