package release

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kedge/telemetry/trust"
)

// The folder of keys:
//
//	roots/1.json             every root document, signed
//	release-<id>.key         online keys, PKCS #8 in PEM
//	assign-<id>.key
//	ca.crt                   what devices and broker check certificates with
//	offline/root-<id>.key    to be moved to another place after Init
//	offline/ca.key
//
// The root document alone says which keys are in force: files of keys carry
// the first 8 digits of their id, and a file that no role names is passed over.
// The last step of every change is therefore the renaming of one root document.
const (
	rootsDir   = "roots"
	offlineDir = "offline"
	caCertFile = "ca.crt"
)

// InitOptions configure Init. The zero value works.
type InitOptions struct {
	RootKeys  int              // number of root keys; 0 means 3
	Threshold int              // of them that have to sign; 0 means 2
	Now       func() time.Time // nil: time.Now
}

func (o InitOptions) withDefaults() (InitOptions, error) {
	if o.RootKeys == 0 {
		o.RootKeys = 3
	}
	if o.Threshold == 0 {
		o.Threshold = min(2, o.RootKeys)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RootKeys < 1 || o.RootKeys > 16 || o.Threshold < 1 || o.Threshold > o.RootKeys {
		return o, fmt.Errorf("root keys: threshold %d of %d, want 1 to 16 keys and a threshold within", o.Threshold, o.RootKeys)
	}
	return o, nil
}

// Init makes root, release and assign keys, the first root document, and a
// certificate authority in dir. It refuses with ErrKeysExist to touch a folder
// that holds a root document.
func Init(dir string, o InitOptions) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	if _, err := os.Stat(rootPath(dir, 1)); err == nil {
		return fmt.Errorf("%s: %w", dir, ErrKeysExist)
	}
	for _, d := range []string{dir, filepath.Join(dir, rootsDir), filepath.Join(dir, offlineDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fileError(d, err)
		}
	}
	if err := initCA(dir, o.Now()); err != nil {
		return err
	}
	envelope, err := firstRoot(dir, o)
	if err != nil {
		return err
	}
	return writeFile(rootPath(dir, 1), envelope, 0o644)
}

// firstRoot makes the keys of all roles and the root document that names them.
func firstRoot(dir string, o InitOptions) ([]byte, error) {
	doc := trust.RootDocument{
		Type: "root", Version: 1, Issued: o.Now().UTC().Truncate(time.Second),
		Keys: map[string]trust.Key{}, Roles: map[trust.Role]trust.RoleEntry{},
	}
	signers, err := addRole(&doc, dir, trust.RoleRoot, o.RootKeys, o.Threshold)
	if err != nil {
		return nil, err
	}
	for _, role := range []trust.Role{trust.RoleRelease, trust.RoleAssign} {
		if _, err := addRole(&doc, dir, role, 1, 1); err != nil {
			return nil, err
		}
	}
	envelope, err := trust.Sign(trust.TypeRoot, doc, signers...)
	if err != nil {
		return nil, err
	}
	_, err = trust.OpenRoot(envelope)
	return envelope, err
}

// addRole makes n keys, files them, and enters them in doc in place of the
// role's present ones.
func addRole(doc *trust.RootDocument, dir string, role trust.Role, n, threshold int) ([]*trust.Signer, error) {
	entry := trust.RoleEntry{Threshold: threshold}
	var signers []*trust.Signer
	for range n {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return nil, fmt.Errorf("make %s key: %w", role, err)
		}
		s, err := trust.NewSigner(key)
		if err != nil {
			return nil, err
		}
		pem, err := trust.MarshalKey(key)
		if err != nil {
			return nil, err
		}
		if err := writeFile(keyPath(dir, role, s.KeyID()), pem, 0o600); err != nil {
			return nil, err
		}
		doc.Keys[s.KeyID()] = trust.Key{Algorithm: "ed25519", Public: s.Public()}
		entry.KeyIDs = append(entry.KeyIDs, s.KeyID())
		signers = append(signers, s)
	}
	doc.Roles[role] = entry
	return signers, nil
}

func rootPath(dir string, version uint64) string {
	return filepath.Join(dir, rootsDir, strconv.FormatUint(version, 10)+".json")
}

func keyPath(dir string, role trust.Role, id string) string {
	name := fmt.Sprintf("%s-%.8s.key", role, id)
	if role == trust.RoleRoot {
		return filepath.Join(dir, offlineDir, name)
	}
	return filepath.Join(dir, name)
}

// Keys is what the centre needs while it runs. It is read-only once loaded.
type Keys struct {
	roots    [][]byte // envelopes of all versions, from 1
	root     *trust.Root
	release  *trust.Signer
	assign   *trust.Signer
	document trust.RootDocument
}

// LoadKeys reads the root documents of dir, of which each has to follow from
// the one before, and the online keys that the newest one names.
func LoadKeys(dir string) (*Keys, error) {
	k := &Keys{}
	for version := uint64(1); ; version++ {
		envelope, err := os.ReadFile(rootPath(dir, version))
		if errors.Is(err, fs.ErrNotExist) && version > 1 {
			break
		}
		if err != nil {
			return nil, fileError(rootPath(dir, version), err)
		}
		if k.root == nil {
			k.root, err = trust.OpenRoot(envelope)
		} else {
			k.root, err = k.root.Next(envelope)
		}
		if errors.Is(err, trust.ErrMalformed) {
			return nil, fmt.Errorf("root document %s %w", rootPath(dir, version), ErrDamaged)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rootPath(dir, version), err)
		}
		k.roots = append(k.roots, envelope)
	}
	_, payload, err := trust.PayloadOf(k.RootEnvelope())
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(payload, &k.document); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if k.release, err = k.signer(dir, trust.RoleRelease); err != nil {
		return nil, err
	}
	k.assign, err = k.signer(dir, trust.RoleAssign)
	return k, err
}

// signer loads the key of an online role.
func (k *Keys) signer(dir string, role trust.Role) (*trust.Signer, error) {
	signers, err := loadSigners(dir, role, k.document.Roles[role].KeyIDs)
	if err != nil {
		return nil, err
	}
	if len(signers) == 0 {
		return nil, fmt.Errorf("%s: %s: %w", dir, role, ErrNoKey)
	}
	return signers[0], nil
}

// loadSigners loads those of a role's keys that are in the folder.
func loadSigners(dir string, role trust.Role, ids []string) ([]*trust.Signer, error) {
	var signers []*trust.Signer
	for _, id := range ids {
		path := keyPath(dir, role, id)
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fileError(path, err)
		}
		key, err := trust.ParseKey(data)
		if err != nil {
			return nil, fmt.Errorf("private key %s %w", path, ErrDamaged)
		}
		s, err := trust.NewSigner(key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if s.KeyID() != id {
			return nil, fmt.Errorf("%s: holds key %.8s: %w", path, s.KeyID(), ErrNoKey)
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// Root returns the newest root, through which documents are verified.
func (k *Keys) Root() *trust.Root { return k.root }

// RootEnvelope returns the newest root document as it travels.
func (k *Keys) RootEnvelope() []byte { return k.roots[len(k.roots)-1] }

// RootEnvelopes returns all root documents; the one at index i has version i+1.
func (k *Keys) RootEnvelopes() [][]byte { return k.roots }

// RoleKeys names the keys of a role, and how many of them have to sign.
func (k *Keys) RoleKeys(role trust.Role) (ids []string, threshold int) {
	entry := k.document.Roles[role]
	return entry.KeyIDs, entry.Threshold
}

// fileError puts the path before what the system found, in place of the call and
// the name, maybe a temporary one, that package os puts there.
func fileError(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// writeFile writes a file that appears whole or not at all.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fileError(path, err)
	}
	defer os.Remove(f.Name()) // after the renaming it has no effect
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return fileError(path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fileError(path, err)
	}
	return nil
}
