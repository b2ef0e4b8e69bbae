package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

type migration struct {
	version int
	sql     string
}

// migrations returns the steps of the schema, ascending. A step's file begins
// with its number and is never changed once released.
func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []migration
	for _, name := range names {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		v, err := strconv.Atoi(number)
		if err != nil || v != len(all)+1 {
			return nil, fmt.Errorf("migration %s: want number %d", name, len(all)+1)
		}
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version: v, sql: string(text)})
	}
	return all, nil
}

// migrate takes the steps that the database lacks, each with its version in
// one transaction, so that two processes that start together take each once.
func (s *Store) migrate(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	err = s.Update(ctx, func(t *Tx) error {
		_, err := t.exec("schema versions", "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY)")
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := s.step(ctx, m); err != nil {
			return fmt.Errorf("migration %d: %w", m.version, err)
		}
	}
	var have sql.NullInt64
	if err := s.db.QueryRowContext(ctx, "SELECT MAX(version) FROM schema_versions").Scan(&have); err != nil {
		return err
	}
	if have.Int64 > int64(len(all)) {
		return fmt.Errorf("got %d, this version knows %d: %w", have.Int64, len(all), ErrSchema)
	}
	return nil
}

func (s *Store) step(ctx context.Context, m migration) error {
	return s.Update(ctx, func(t *Tx) error {
		var have int
		if err := t.row("schema version", "SELECT COUNT(*) FROM schema_versions WHERE version = ?", []any{m.version}, &have); err != nil || have > 0 {
			return err
		}
		if _, err := t.exec("schema", m.sql); err != nil {
			return err
		}
		_, err := t.exec("schema version", "INSERT INTO schema_versions (version) VALUES (?)", m.version)
		return err
	})
}
