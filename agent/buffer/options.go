package buffer

import (
	"fmt"
	"log/slog"
	"time"
)

const (
	// pageSize is written into every file, whatever the kernel's page is: with
	// 16 KiB pages (the Raspberry Pi 5's kernel) a lone 256-byte record would
	// cost 66 KB of writing instead of 21 KB.
	pageSize = 4096

	// MaxPayload is the largest payload of one record, in bytes. Larger things
	// are sent in chunks, and the lowest common limit of brokers is below it.
	MaxPayload = 128 << 10

	defaultMaxSize = 64 << 20
	minMaxSize     = 1 << 20
	maxMaxSize     = 1 << 30 // a 32-bit process cannot map much more
	stateMaxSize   = 1 << 20
	maxPending     = 4096 // uncommitted ring records; also the step of sequence numbers after an unclean end
	maxPendingSize = 1 << 20
	lockTimeout    = time.Second
)

// Limit bounds one store. The zero value takes the default.
type Limit struct {
	Records int   // at most this many records; 0: no bound by count
	Bytes   int64 // at most this many bytes on disk, page rounding included; 0: the store's share of MaxSize
}

// Options configure a Buffer. The zero value works.
type Options struct {
	// MaxSize bounds queue.db in bytes, 1 MiB to 1 GiB; 0 means 64 MiB. bbolt
	// needs free pages even to delete, so the limits together may use at most
	// three quarters of it.
	MaxSize int64

	// Ring and Outbox bound the stores of queue.db. Their default bytes are a
	// quarter of MaxSize each.
	Ring, Outbox Limit

	// BatchRecords and BatchAge say when pending ring records and
	// acknowledgements are committed: at this many, or when the oldest is this
	// old. 0 means 64 and one second.
	BatchRecords int
	BatchAge     time.Duration

	// Boot names this start of the agent in the name of a file that is set
	// aside; characters other than letters, digits, '-' and '_' become '_'.
	Boot string

	// OnFailing is told when storing what is pending begins to fail, with the
	// cause, and when it works again, with nil. OnDamage is told of what
	// Buffer.Recovered lists, as it is found, also by Open. They must not call the
	// Buffer, which waits for them. nil: a line in Log each time.
	OnFailing func(cause error)
	OnDamage  func(Recovered)

	// Log gets what else is amiss with the files. nil: no log.
	Log *slog.Logger
}

// withDefaults fills zero fields and refuses limits that cannot work.
func (o Options) withDefaults() (Options, error) {
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxSize
	}
	if o.MaxSize < minMaxSize || o.MaxSize > maxMaxSize {
		return o, fmt.Errorf("buffer: max size %d bytes, want %d to %d", o.MaxSize, minMaxSize, maxMaxSize)
	}
	shares := []struct {
		name  string
		limit *Limit
		share int64
	}{
		{"ring", &o.Ring, o.MaxSize / 4},
		{"outbox", &o.Outbox, o.MaxSize / 4},
	}
	var sum int64
	for _, s := range shares {
		if s.limit.Bytes == 0 {
			s.limit.Bytes = s.share
		}
		if s.limit.Bytes < pageSize || s.limit.Records < 0 {
			return o, fmt.Errorf("buffer: %s limit of %d bytes, %d records: want at least %d bytes and no negative count",
				s.name, s.limit.Bytes, s.limit.Records, pageSize)
		}
		if s.limit.Bytes > o.MaxSize {
			return o, fmt.Errorf("buffer: %s limit of %d bytes exceeds the file's %d", s.name, s.limit.Bytes, o.MaxSize)
		}
		sum += s.limit.Bytes
	}
	if sum > o.MaxSize/4*3 {
		return o, fmt.Errorf("buffer: the limits add up to %d bytes, want at most three quarters of the file's %d", sum, o.MaxSize)
	}
	if o.BatchRecords < 0 || o.BatchRecords > maxPending || o.BatchAge < 0 {
		return o, fmt.Errorf("buffer: batch of %d records, %v: want 1 to %d records and no negative age", o.BatchRecords, o.BatchAge, maxPending)
	}
	if o.BatchRecords == 0 {
		o.BatchRecords = 64
	}
	if o.BatchAge == 0 {
		o.BatchAge = time.Second
	}
	if o.Boot == "" {
		o.Boot = "0"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnFailing == nil {
		o.OnFailing = logFailing(o.Log)
	}
	if o.OnDamage == nil {
		o.OnDamage = logDamage(o.Log)
	}
	return o, nil
}

// logFailing and logDamage are what the hooks do if the owner has nothing better.
func logFailing(log *slog.Logger) func(error) {
	return func(cause error) {
		if cause == nil {
			log.Info("storing again", slog.String("file", QueueFile))
			return
		}
		log.Error("cannot store, trying again; what is stored is kept", slog.String("file", QueueFile), slog.Any("cause", cause))
	}
}

func logDamage(log *slog.Logger) func(Recovered) {
	return func(r Recovered) {
		log.Error("buffer file damaged", slog.String("file", r.File), slog.String("aside", r.Aside), slog.Any("cause", r.Cause),
			slog.Uint64("lost", r.Lost), slog.Bool("exact", r.Exact), slog.Uint64("corrupt", r.Corrupt))
	}
}
