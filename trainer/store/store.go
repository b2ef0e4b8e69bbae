package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A Store is an open database and its folder of blobs.
type Store struct {
	db    *sql.DB
	blobs string
}

// A Tx is one transaction. Its methods are in the file of what they concern.
type Tx struct {
	ctx context.Context
	tx  *sql.Tx
}

// Open opens the store in dir, which is made if it is absent, and brings its
// schema up to date.
func Open(ctx context.Context, dir string) (*Store, error) {
	s := &Store{blobs: filepath.Join(dir, "blobs")}
	if err := os.MkdirAll(s.blobs, 0o700); err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("%s: %w", e.Path, e.Err)
		}
		return nil, err
	}
	path := filepath.Join(dir, "trainer.db")
	for deadline := time.Now().Add(openPatience); ; {
		err := s.open(ctx, path)
		if err == nil {
			return s, nil
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case damaged(err):
			return nil, fmt.Errorf("%s %w", path, ErrDamaged)
		case !busy(err) || time.Now().After(deadline):
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// openPatience is how long Open tries while another process opens the same
// database: the change to a write-ahead log does not wait by SQLite's own
// busy_timeout.
const openPatience = 10 * time.Second

// busy reports whether another process was in the way.
func busy(err error) bool { return code(err) == sqlite3.SQLITE_BUSY }

// damaged reports whether the file is no sound database.
func damaged(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB
}

// code is SQLite's primary result code, which extended ones have in their low byte.
func code(err error) int {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		return failed.Code() & 0xff
	}
	return sqlite3.SQLITE_OK
}

func (s *Store) open(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return err
	}
	// One connection: SQLite has one writer anyway, and in one process waiting
	// in Go is fairer than SQLite's polling.
	db.SetMaxOpenConns(1)
	s.db = db
	if err := s.migrate(ctx); err != nil {
		db.Close()
		return err
	}
	return nil
}

// dsn spells the pragmas as modernc.org/sqlite reads them; other drivers'
// spellings are passed over in silence. Transactions take the write lock at
// once: one that began as a reader could not wait for it. Synchronous FULL,
// because a device forgets a report as soon as we acknowledge it.
func dsn(path string) string {
	pragmas := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()}).String()
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Update runs f in a transaction and commits it if f returns nil.
func (s *Store) Update(ctx context.Context, f func(*Tx) error) error {
	return s.run(ctx, nil, f)
}

// View runs f in a transaction that sees one state of the database. f must not write.
func (s *Store) View(ctx context.Context, f func(*Tx) error) error {
	return s.run(ctx, &sql.TxOptions{ReadOnly: true}, f)
}

func (s *Store) run(ctx context.Context, o *sql.TxOptions, f func(*Tx) error) error {
	tx, err := s.db.BeginTx(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("store: begin: %w", err)
	}
	defer tx.Rollback() // after Commit it has no effect
	if err := f(&Tx{ctx: ctx, tx: tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	return nil
}

// exec runs a statement; what names the object in the error.
func (t *Tx) exec(what, query string, args ...any) (changed int64, err error) {
	r, err := t.tx.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("store: %s: %w", what, err)
	}
	return r.RowsAffected()
}

// row reads one row into dest; no row is ErrNotFound.
func (t *Tx) row(what, query string, args []any, dest ...any) error {
	err := t.tx.QueryRowContext(t.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store: %s: %w", what, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("store: %s: %w", what, err)
	}
	return nil
}

// scanner is what both a row and rows can do.
type scanner interface{ Scan(dest ...any) error }

// rows reads all rows with scan.
func rows[T any](t *Tx, what string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rs, err := t.tx.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", what, err)
	}
	defer rs.Close()
	var all []T
	for rs.Next() {
		one, err := scan(rs)
		if err != nil {
			return nil, fmt.Errorf("store: %s: %w", what, err)
		}
		all = append(all, one)
	}
	if err := rs.Err(); err != nil {
		return nil, fmt.Errorf("store: %s: %w", what, err)
	}
	return all, nil
}

// maxNano is in the year 2116. Times beyond it, or as far before 1970, are not
// told apart, so that a stranger's clock cannot make sums of times overflow.
const maxNano = 1 << 62

// nano is the stored form of a time; the zero time is 0.
func nano(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.After(time.Unix(0, maxNano)):
		return maxNano
	case t.Before(time.Unix(0, -maxNano)):
		return -maxNano
	}
	return t.UnixNano()
}

func fromNano(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
