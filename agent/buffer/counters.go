package buffer

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Tally accounts for the records of one store.
type Tally struct {
	Produced uint64 // offered to the store
	Done     uint64 // left it as intended: acknowledged
	Dropped  uint64 // left it otherwise: evicted, refused, damaged or lost with the file
	Queued   uint64 // in it now
	Bytes    uint64 // estimated bytes of file that the queued records take
}

// Balanced reports whether every record is accounted for.
func (t Tally) Balanced() bool { return t.Produced == t.Done+t.Dropped+t.Queued }

// add counts a record of cost c that enters the store.
func (t *Tally) add(c int64) { t.Produced++; t.Queued++; t.Bytes += uint64(c) }

// remove counts a record of cost c that leaves the store.
func (t *Tally) remove(c int64) {
	t.Queued--
	t.Bytes -= min(t.Bytes, uint64(c))
}

// lose moves everything queued to the dropped.
func (t *Tally) lose() {
	t.Dropped += t.Queued
	t.Queued, t.Bytes = 0, 0
}

// Counters are the tallies of a Buffer's queue.
type Counters struct {
	Ring    Tally
	Outbox  [Classes]Tally // by Class
	Corrupt uint64         // of the dropped, those whose checksum failed
	Lost    uint64         // of the dropped, those that went with a damaged file
}

// tallies lists every tally, in the order in which they are stored.
func (c *Counters) tallies() []*Tally {
	ts := []*Tally{&c.Ring}
	for i := range c.Outbox {
		ts = append(ts, &c.Outbox[i])
	}
	return ts
}

// OutboxTotal sums the outbox over its classes.
func (c Counters) OutboxTotal() Tally {
	var sum Tally
	for _, t := range c.Outbox {
		sum.Produced += t.Produced
		sum.Done += t.Done
		sum.Dropped += t.Dropped
		sum.Queued += t.Queued
		sum.Bytes += t.Bytes
	}
	return sum
}

// ledger is what one record of queue.db holds: the counters and the next numbers.
type ledger struct {
	Counters
	serial  uint64 // bbolt's number of the transaction that wrote it
	nextSeq uint64 // of the ring
	nextID  uint64 // of the outbox
	clean   bool   // written by Close: nextSeq is exact
}

// ledgerMagic begins the body of a ledger. It is long enough to be looked for in
// the raw bytes of a damaged file.
const ledgerMagic = "kedge-ledger-1\n\x00"

const ledgerWords = 4 + 5*(1+int(Classes)) + 2

var ledgerKey = []byte("ledger")

// words lists the numbers of a ledger in the order in which they are stored.
func (l *ledger) words() []*uint64 {
	w := []*uint64{&l.serial, &l.nextSeq, &l.nextID}
	for _, t := range l.tallies() {
		w = append(w, &t.Produced, &t.Done, &t.Dropped, &t.Queued, &t.Bytes)
	}
	return append(w, &l.Corrupt, &l.Lost)
}

// encode builds the stored value of a ledger.
func (l ledger) encode() []byte {
	body := []byte(ledgerMagic)
	for _, w := range l.words() {
		body = binary.LittleEndian.AppendUint64(body, *w)
	}
	var clean uint64
	if l.clean {
		clean = 1
	}
	return encodeRecord(ledgerKey, binary.LittleEndian.AppendUint64(body, clean))
}

// ledgerSize is the length of a ledger's stored value.
const ledgerSize = recordOverhead + len(ledgerMagic) + 8*ledgerWords

// decodeLedger reads a stored value of exactly ledgerSize bytes.
func decodeLedger(value []byte) (ledger, error) {
	var l ledger
	body, err := decodeRecord(ledgerKey, value)
	if err != nil {
		return l, err
	}
	if len(value) != ledgerSize || !bytes.HasPrefix(body, []byte(ledgerMagic)) {
		return l, damaged("ledger of %d bytes, want %d", len(value), ledgerSize)
	}
	body = body[len(ledgerMagic):]
	for i, w := range l.words() {
		*w = binary.LittleEndian.Uint64(body[8*i:])
	}
	l.clean = binary.LittleEndian.Uint64(body[8*(ledgerWords-1):]) != 0
	for i, t := range l.tallies() {
		if !t.Balanced() {
			return l, damaged("ledger: tally %d: %+v does not add up", i, *t)
		}
	}
	return l, nil
}

// loseAll accounts for a queue that is gone and returns how many records it held.
func (l *ledger) loseAll() uint64 {
	var n uint64
	for _, t := range l.tallies() {
		n += t.Queued
		t.lose()
	}
	l.Lost += n
	return n
}

// String is for messages of tests and logs.
func (t Tally) String() string {
	return fmt.Sprintf("produced %d = done %d + dropped %d + queued %d", t.Produced, t.Done, t.Dropped, t.Queued)
}
