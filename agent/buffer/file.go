package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"
)

// Recovered tells what happened to a file that was damaged.
type Recovered struct {
	File  string // the file's name in the directory
	Aside string // where the damaged file is now; "" if only records were removed
	Cause error
	// Lost is the number of records that went with the file, Exact whether it is
	// known: the last ledger is looked for in the raw bytes.
	Lost  uint64
	Exact bool
	// Corrupt is the number of records whose checksum failed and that were removed
	// from a file which is otherwise sound.
	Corrupt uint64
}

// openBolt opens a bbolt file that was walked whole. A file beyond use is an
// ErrDamaged, one that another process holds an ErrLocked.
func openBolt(path string, maxSize int64) (*bbolt.DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, asFull(fileError(path, err))
	}
	// The lock comes first: a file that another process writes looks damaged.
	// bbolt gets this very file, so that there is no moment without the lock.
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := probeFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	var db *bbolt.DB
	err = guard(func() error {
		var err error
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:        lockTimeout,
			PageSize:       pageSize,
			MaxSize:        int(maxSize),
			FreelistType:   bbolt.FreelistMapType,
			NoFreelistSync: true,
			OpenFile:       func(string, int, os.FileMode) (*os.File, error) { return f, nil },
		})
		return err
	})
	switch {
	case errors.Is(err, ErrDamaged):
		return nil, errors.Join(err, f.Close())
	case errors.Is(err, bberrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrLocked, path)
	case err != nil: // bbolt has closed f
		return nil, asFull(fmt.Errorf("buffer: open %s: %w", path, err))
	}
	// bbolt grows by AllocSize once it passed it; its 16 MiB would leave a
	// quarter of a 64 MiB file unused under MaxSize.
	db.AllocSize = min(db.AllocSize, int(maxSize/16))
	return db, nil
}

// lock takes the exclusive lock that bbolt takes, waiting as long as it would.
func lock(f *os.File) error {
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("buffer: lock %s: %w", f.Name(), err)
		case time.Since(start) >= lockTimeout:
			return fmt.Errorf("%w: %s", ErrLocked, f.Name())
		}
	}
}

// probeFile walks f; an empty file is sound, bbolt fills it.
func probeFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("buffer: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("buffer: %s is not a regular file", f.Name())
	}
	if info.Size() == 0 {
		return nil
	}
	return probe(f, info.Size())
}

// setAside renames a damaged file to <name>.corrupt-<boot> and removes what was
// set aside before: a device whose card rots must not fill it with corpses.
func setAside(path, boot string) (string, error) {
	aside := path + ".corrupt-" + safeName(boot)
	old, err := filepath.Glob(path + ".corrupt-*")
	if err != nil {
		return "", fmt.Errorf("buffer: %w", err)
	}
	for _, o := range old {
		if err := os.Remove(o); err != nil {
			return "", fmt.Errorf("buffer: %w", err)
		}
	}
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("buffer: set aside: %w", err)
	}
	return aside, syncDir(filepath.Dir(path))
}

// safeName makes any boot id fit for a file's name.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '_':
			return r
		}
		return '_'
	}, s)
}

// syncDir makes renames and new names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("buffer: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// salvageLedger looks for the ledger in the raw bytes of a damaged file: pages that
// bbolt no longer reaches still hold it. exact says that it is the one that the
// last complete transaction wrote; otherwise it is the newest that was found. A page
// that cannot be read is passed over.
func salvageLedger(path string) (best ledger, found, exact bool) {
	f, err := os.Open(path)
	if err != nil {
		return best, false, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return best, false, false
	}
	p := prober{r: f}
	meta, metaErr := p.bestMeta(info.Size())
	// Two pages at a time: a ledger is smaller than a page but may lie across two.
	buf := make([]byte, 2*pageSize)
	for at := int64(0); at < info.Size(); at += pageSize {
		n, _ := f.ReadAt(buf, at)
		for b := buf[:n]; ; {
			i := bytes.Index(b, []byte(ledgerMagic))
			if i < 0 {
				break
			}
			if start := i - recordOverhead; start >= 0 && start+ledgerSize <= len(b) {
				l, err := decodeLedger(b[start : start+ledgerSize])
				last := metaErr == nil && l.serial == meta.txid
				if err == nil && !exact && (last || !found || l.serial > best.serial) {
					best, found, exact = l, true, last
				}
			}
			b = b[i+1:]
		}
	}
	return best, found, exact
}
