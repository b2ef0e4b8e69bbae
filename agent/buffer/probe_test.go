package buffer

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// The walk accepts whatever bbolt writes: keys of all kinds put and deleted in any
// order, pages that split, merge and run over, buckets that become trees and shrink
// again, and a file that was just made.
func TestProbeAcceptsSoundFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	check := func(when string) {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := probeFile(f); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	db, err := openBolt(path, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	check("new file")
	db.NoSync = true // what matters is what is written
	random := rand.New(rand.NewPCG(7, 8))
	for round := range 400 {
		err := update(db, func(tx *bbolt.Tx) error {
			name := fmt.Appendf(nil, "bucket %d", random.IntN(4))
			if random.IntN(40) == 0 && tx.Bucket(name) != nil {
				return tx.DeleteBucket(name)
			}
			b, err := tx.CreateBucketIfNotExists(name)
			if err != nil {
				return err
			}
			b.FillPercent = 0.5 + random.Float64()/2
			return scramble(b, random)
		})
		if err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprintf("round %d", round))
	}
}

// scramble puts and deletes keys at random.
func scramble(b *bbolt.Bucket, random *rand.Rand) error {
	deletes := random.IntN(10)
	for range 1 + random.IntN(200) {
		key := fmt.Appendf(nil, "%0*d", 1+random.IntN(30), random.IntN(3000))
		if random.IntN(10) < deletes {
			if err := b.Delete(key); err != nil {
				return err
			}
			continue
		}
		size := random.IntN(100)
		if random.IntN(20) == 0 {
			size = random.IntN(20000)
		}
		if err := b.Put(key, make([]byte, size)); err != nil {
			return err
		}
	}
	return nil
}
