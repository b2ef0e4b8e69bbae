package update

import (
	"bytes"
	"sync"

	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

const (
	// maxDocuments of each kind wait in the inbox. Retained ones come again.
	maxDocuments = 16
	// maxDocument is what is kept of a document: more than package trust reads,
	// so that it sees the excess and refuses it.
	maxDocument = 64 << 10
	// maxChunks is twice what can be asked for at once.
	maxChunks = 2 * wire.GetWindow
)

// chunk is a piece of a blob as it arrived.
type chunk struct {
	blob string
	n    int
	data []byte
}

// mail is what an inbox held at one moment.
type mail struct {
	roots, assigns, releases [][]byte
	chunks                   []chunk
}

// An inbox takes what arrives, in bounded memory and without ever blocking,
// until Run has time for it.
type inbox struct {
	signal chan struct{} // holds one element while there is mail

	mu sync.Mutex
	mail
	blob string // chunks of other blobs are not even kept
}

func newInbox() inbox { return inbox{signal: make(chan struct{}, 1)} }

// document adds a copy to the list, one of the inbox's own, in place of the oldest if it is full.
func (b *inbox) document(list *[][]byte, payload []byte) {
	kept := bytes.Clone(payload[:min(len(payload), maxDocument)])
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(*list) == maxDocuments {
		*list = append((*list)[:0], (*list)[1:]...)
	}
	*list = append(*list, kept)
	b.wake()
}

func (b *inbox) chunk(blob string, n int, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if blob != b.blob || len(data) > trust.ChunkBytes || len(b.chunks) == maxChunks {
		return
	}
	b.chunks = append(b.chunks, chunk{blob, n, bytes.Clone(data)})
	b.wake()
}

// want says of which blob chunks are kept from now on; empty: of none.
func (b *inbox) want(blob string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.blob != blob {
		b.blob, b.chunks = blob, nil
	}
}

// take empties the inbox.
func (b *inbox) take() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail
	b.mail = mail{}
	return m
}

func (b *inbox) wake() {
	select {
	case b.signal <- struct{}{}:
	default:
	}
}
