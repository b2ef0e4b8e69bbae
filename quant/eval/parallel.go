package eval

import (
	"context"
	"fmt"
	goruntime "runtime"
	"sync"
)

// Options say how to measure. The zero value uses all cores.
type Options struct {
	Workers  int                   // at most so many samples at once; 0 for one per core
	Progress func(done, total int) // called after every few samples, by one goroutine at a time
}

// blockSize is how many samples a worker does in a row. Sums are kept for each
// block and added up in the blocks' order, so that they do not depend on the
// number of workers.
const blockSize = 8

// spread cuts n samples into blocks and has workers do them. start is called
// once for each worker and returns what does samples lo to hi−1, which are
// block number block. The error is that of the first block that failed.
func spread(ctx context.Context, n int, o Options, start func() (func(block, lo, hi int) error, error)) error {
	count := blocks(n)
	workers := o.Workers
	if workers <= 0 {
		workers = goruntime.GOMAXPROCS(0)
	}
	workers = min(workers, count)
	p := &pool{blocks: count, n: n, errs: make([]error, count), progress: o.Progress}
	var wg sync.WaitGroup
	started := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			do, err := start()
			if err != nil {
				started[w] = err
				p.stop()
				return
			}
			p.work(ctx, do)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("evaluation stopped: %w", err)
	}
	for _, err := range append(started, p.errs...) {
		if err != nil {
			return err
		}
	}
	return nil
}

// blocks is how many n samples make.
func blocks(n int) int { return (n + blockSize - 1) / blockSize }

// pool hands out blocks.
type pool struct {
	mu        sync.Mutex
	next      int
	blocks, n int
	done      int
	errs      []error // by block
	progress  func(done, total int)
}

// work does blocks until none is left, or one failed: those before it are with
// workers already.
func (p *pool) work(ctx context.Context, do func(block, lo, hi int) error) {
	for ctx.Err() == nil {
		block, ok := p.take()
		if !ok {
			return
		}
		lo, hi := block*blockSize, min((block+1)*blockSize, p.n)
		if err := do(block, lo, hi); err != nil {
			p.errs[block] = err
			p.stop()
			return
		}
		p.report(hi - lo)
	}
}

func (p *pool) take() (block int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next >= p.blocks {
		return 0, false
	}
	p.next++
	return p.next - 1, true
}

func (p *pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = p.blocks
}

func (p *pool) report(samples int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += samples
	if p.progress != nil {
		p.progress(p.done, p.n)
	}
}
