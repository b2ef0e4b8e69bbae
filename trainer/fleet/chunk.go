package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kedge/telemetry/wire"
	"kedge/trainer/store"
)

// Rate of chunks to one device: 8 MiB/s, with bursts of four windows. What a
// device asks for beyond that is left unanswered; it asks again.
const (
	chunksPerSecond = 256
	chunkBurst      = 4 * wire.GetWindow
)

// get answers a device's request for chunks. No more than a window is in
// flight for one request: they are published together and waited for.
func (f *Fleet) get(ctx context.Context, t wire.Topic, payload []byte) error {
	var g wire.Get
	if err := wire.Decode(payload, &g); err != nil {
		return err
	}
	want := g.Chunks()
	want = want[:f.chunks.take(t.Site+"/"+t.Device, len(want), f.o.Now())]
	topics := wire.DeviceTopics{Site: t.Site, Device: t.Device}
	errs := make([]error, len(want))
	var wait sync.WaitGroup
	for i, n := range want {
		chunk, err := f.o.Registry.Chunk(g.Blob, n)
		if errors.Is(err, store.ErrNotFound) {
			wait.Wait()
			return fmt.Errorf("blob %s: %w", g.Blob, errIgnored)
		}
		if err != nil || len(chunk) == 0 {
			errs[i] = err // behind the end there is nothing to send
			continue
		}
		wait.Go(func() { errs[i] = f.o.Publish(ctx, topics.Chunk(g.Blob, n), chunk, false) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		// The device asks again for what did not come; to repeat its request is no use.
		return fmt.Errorf("%w: %w", errIgnored, err)
	}
	return nil
}

// limiter is a bucket of tokens for each device. The zero value is ready.
type limiter struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take grants up to n tokens.
func (l *limiter) take(key string, n int, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets = make(map[string]bucket)
	}
	b, ok := l.buckets[key]
	if !ok {
		b = bucket{tokens: chunkBurst, at: now}
	}
	b.tokens = min(b.tokens+max(now.Sub(b.at).Seconds(), 0)*chunksPerSecond, chunkBurst)
	granted := min(n, int(b.tokens))
	l.buckets[key] = bucket{tokens: b.tokens - float64(granted), at: now}
	return granted
}
