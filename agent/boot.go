package agent

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"

	"kedge/agent/buffer"
)

// Keys of state.db.
const (
	keyBoot      = "agent.boot"
	keyCounters  = "agent.counters"
	keyMonitor   = "agent.monitor"
	keyReference = "agent.reference"
	keyCollected = "agent.collected"
	keyCapture   = "agent.capture"
)

// randomPart tells boots apart whose counter was lost with the store.
func randomPart() string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// nextBoot counts this start and returns its boot id, "17-3f9a12c0". Without
// room for the counter the random part alone has to tell boots apart.
func (a *agent) nextBoot(random string) string {
	n := uint64(1)
	if v, err := a.buf.State.Get(keyBoot); err == nil && len(v) == 8 {
		n = binary.LittleEndian.Uint64(v) + 1
	}
	a.put(keyBoot, binary.LittleEndian.AppendUint64(nil, n))
	return strconv.FormatUint(n, 10) + "-" + random
}

// put stores a value and says once if there is no room.
func (a *agent) put(key string, value []byte) {
	a.stored(a.buf.State.Put(key, value))
}

// get returns a value, nil if there is none or it is damaged: all that the
// agent keeps there has a safe beginning.
func (a *agent) get(key string) []byte {
	v, err := a.buf.State.Get(key)
	if err != nil {
		return nil
	}
	return v
}

// loadCounters and storeCounters keep the counters over restarts.
func (a *agent) loadCounters() {
	if v := a.get(keyCounters); len(v) == 16 {
		a.inferences.Store(binary.LittleEndian.Uint64(v))
		a.rejected.Store(binary.LittleEndian.Uint64(v[8:]))
		a.before.Inferences, a.before.Rejected = a.inferences.Load(), a.rejected.Load()
	}
}

func (a *agent) storeCounters() {
	v := binary.LittleEndian.AppendUint64(nil, a.inferences.Load())
	a.put(keyCounters, binary.LittleEndian.AppendUint64(v, a.rejected.Load()))
}

// updateStore gives the updater its values in state.db.
type updateStore struct{ state *buffer.State }

// Get implements update.Store.
func (s updateStore) Get(key string) ([]byte, error) {
	v, err := s.state.Get(key)
	if errors.Is(err, buffer.ErrNotFound) {
		return nil, nil
	}
	return v, err
}

// Put implements update.Store.
func (s updateStore) Put(key string, value []byte) error { return s.state.Put(key, value) }
