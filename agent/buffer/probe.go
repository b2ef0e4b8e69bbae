package buffer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The layout of a bbolt file, version 2, as its package internal/common writes
// it (little-endian here; every target of kedge is).
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeaderSize = 16 // id u64, flags u16, count u16, overflow u32
	elementSize    = 16 // branch: pos, ksize u32, pgid u64; leaf: flags, pos, ksize, vsize u32
	bucketHeader   = 16 // root page u64, sequence u64
	metaSumOffset  = 56 // FNV-1a over the bytes before it
	branchFlag     = 0x01
	leafFlag       = 0x02
	freelistFlag   = 0x10
	bucketLeafFlag = 0x01
	noFreelist     = ^uint64(0)
	maxTreeDepth   = 32 // a sound tree of 1 GiB has at most 6 levels
	maxBucketDepth = 4  // we never nest deeper than 1
)

// probe walks every page that a bbolt file refers to and reports the first thing
// that bbolt could not survive. It reads through r only, never through a memory
// map, so that damage is an error and not a signal. It runs before bbolt opens
// the file because with NoFreelistSync bbolt walks the tree in a goroutine of its
// own, where neither recover nor SetPanicOnFault of ours reaches.
func probe(r io.ReaderAt, size int64) error {
	p := &prober{r: r}
	meta, err := p.bestMeta(size)
	if err != nil {
		return err
	}
	if meta.high < 3 || meta.high > uint64(size/pageSize) {
		return damaged("meta: %d pages in use, the file has %d", meta.high, size/pageSize)
	}
	p.high = meta.high
	p.seen = make([]bool, meta.high)
	p.seen[0], p.seen[1] = true, true
	if meta.freelist != noFreelist {
		if err := p.freelist(meta.freelist); err != nil {
			return err
		}
	}
	return p.tree(meta.root, nil, nil, 0, 0)
}

type boltMeta struct {
	root, freelist, high, txid uint64
}

type prober struct {
	r    io.ReaderAt
	high uint64 // pages in use
	seen []bool // by page; a page has one owner
}

// bestMeta returns the meta page that bbolt will choose: the valid one of the
// later transaction.
func (p *prober) bestMeta(size int64) (boltMeta, error) {
	if size < 4*pageSize {
		return boltMeta{}, damaged("file of %d bytes, want at least %d", size, 4*pageSize)
	}
	var best boltMeta
	var errs []error
	for i := range int64(2) {
		page := make([]byte, pageSize)
		if _, err := p.r.ReadAt(page, i*pageSize); err != nil {
			return best, fmt.Errorf("%w: meta page %d: %w", ErrDamaged, i, err)
		}
		m, err := parseMeta(page[pageHeaderSize:])
		if err != nil {
			errs = append(errs, fmt.Errorf("meta page %d: %w", i, err))
			continue
		}
		if best.high == 0 || m.txid > best.txid {
			best = m
		}
	}
	if len(errs) == 2 {
		return best, errors.Join(errs...)
	}
	return best, nil
}

func parseMeta(b []byte) (boltMeta, error) {
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	h := fnv.New64a()
	h.Write(b[:metaSumOffset])
	switch {
	case u32(b) != boltMagic || u32(b[4:]) != boltVersion:
		return boltMeta{}, damaged("magic %#x, version %d", u32(b), u32(b[4:]))
	case u64(b[metaSumOffset:]) != h.Sum64():
		return boltMeta{}, damaged("checksum %#x, want %#x", u64(b[metaSumOffset:]), h.Sum64())
	case u32(b[8:]) != pageSize:
		return boltMeta{}, damaged("page size %d, want %d", u32(b[8:]), pageSize)
	}
	return boltMeta{root: u64(b[16:]), freelist: u64(b[32:]), high: u64(b[40:]), txid: u64(b[48:])}, nil
}

// page reads page id with its overflow and claims it.
func (p *prober) page(id uint64) ([]byte, error) {
	if id < 2 || id >= p.high {
		return nil, damaged("page %d out of range [2, %d)", id, p.high)
	}
	head := make([]byte, pageHeaderSize)
	if _, err := p.r.ReadAt(head, int64(id)*pageSize); err != nil {
		return nil, fmt.Errorf("%w: page %d: %w", ErrDamaged, id, err)
	}
	overflow := uint64(binary.LittleEndian.Uint32(head[12:]))
	if got := binary.LittleEndian.Uint64(head); got != id || overflow >= p.high-id {
		return nil, damaged("page %d: calls itself %d, with %d more of %d", id, got, overflow, p.high)
	}
	for i := range overflow + 1 {
		if p.seen[id+i] {
			return nil, damaged("page %d: used twice", id+i)
		}
		p.seen[id+i] = true
	}
	b := make([]byte, (overflow+1)*pageSize)
	if _, err := p.r.ReadAt(b, int64(id)*pageSize); err != nil {
		return nil, fmt.Errorf("%w: page %d: %w", ErrDamaged, id, err)
	}
	return b, nil
}

// freelist checks the list that bbolt writes into a file it just made; ours lists
// none afterwards (NoFreelistSync).
func (p *prober) freelist(id uint64) error {
	b, err := p.page(id)
	if err != nil {
		return err
	}
	flags, count := binary.LittleEndian.Uint16(b[8:]), int(binary.LittleEndian.Uint16(b[10:]))
	if flags != freelistFlag || count == 0xFFFF || pageHeaderSize+8*count > len(b) {
		return damaged("page %d: freelist with flags %#x, count %d", id, flags, count)
	}
	last := uint64(1)
	for i := range count {
		free := binary.LittleEndian.Uint64(b[pageHeaderSize+8*i:])
		if free <= last || free >= p.high {
			return damaged("page %d: lists page %d as free after %d", id, free, last)
		}
		last = free
	}
	return nil
}

// tree walks the pages under id, whose keys must begin with low and stay below end;
// nil is no bound.
func (p *prober) tree(id uint64, low, end []byte, depth, buckets int) error {
	if depth > maxTreeDepth || buckets > maxBucketDepth {
		return damaged("page %d: tree of more than %d levels", id, maxTreeDepth)
	}
	b, err := p.page(id)
	if err != nil {
		return err
	}
	switch flags := binary.LittleEndian.Uint16(b[8:]); flags {
	case leafFlag:
		return p.leaf(b, id, low, end, buckets)
	case branchFlag:
		return p.branch(b, id, low, end, depth, buckets)
	default:
		return damaged("page %d: flags %#x", id, flags)
	}
}

// branch checks a branch page and what is under it.
func (p *prober) branch(b []byte, id uint64, low, end []byte, depth, buckets int) error {
	count := int(binary.LittleEndian.Uint16(b[10:]))
	if count == 0 || pageHeaderSize+count*elementSize > len(b) {
		return damaged("page %d: branch of %d elements", id, count)
	}
	keys := make([][]byte, count)
	for i := range count {
		at := pageHeaderSize + i*elementSize
		key, _, err := element(b, at, binary.LittleEndian.Uint32(b[at:]), binary.LittleEndian.Uint32(b[at+4:]), 0)
		if err != nil {
			return fmt.Errorf("page %d: element %d: %w", id, i, err)
		}
		if i > 0 && bytes.Compare(keys[i-1], key) >= 0 {
			return damaged("page %d: key %d is not above the one before", id, i)
		}
		keys[i] = key
	}
	if err := inRange(id, keys, low, end); err != nil {
		return err
	}
	for i := range count {
		childEnd := end
		if i+1 < count {
			childEnd = keys[i+1]
		}
		child := binary.LittleEndian.Uint64(b[pageHeaderSize+i*elementSize+8:])
		if err := p.tree(child, keys[i], childEnd, depth+1, buckets); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks a leaf page, also one that lies inline in a bucket's value.
func (p *prober) leaf(b []byte, id uint64, low, end []byte, buckets int) error {
	count := int(binary.LittleEndian.Uint16(b[10:]))
	if pageHeaderSize+count*elementSize > len(b) {
		return damaged("page %d: leaf of %d elements in %d bytes", id, count, len(b))
	}
	keys := make([][]byte, count)
	for i := range count {
		at := pageHeaderSize + i*elementSize
		u32 := func(o int) uint32 { return binary.LittleEndian.Uint32(b[at+o:]) }
		key, value, err := element(b, at, u32(4), u32(8), u32(12))
		if err != nil {
			return fmt.Errorf("page %d: element %d: %w", id, i, err)
		}
		if i > 0 && bytes.Compare(keys[i-1], key) >= 0 {
			return damaged("page %d: key %d is not above the one before", id, i)
		}
		keys[i] = key
		if u32(0)&bucketLeafFlag == 0 {
			continue
		}
		if err := p.bucket(id, value, buckets+1); err != nil {
			return fmt.Errorf("bucket %q: %w", key, err)
		}
	}
	return inRange(id, keys, low, end)
}

// bucket checks the value of a bucket: a root page, or a page inline.
func (p *prober) bucket(id uint64, value []byte, buckets int) error {
	if len(value) < bucketHeader {
		return damaged("page %d: header of %d bytes", id, len(value))
	}
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		return p.tree(root, nil, nil, 0, buckets)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeaderSize || binary.LittleEndian.Uint16(inline[8:]) != leafFlag || buckets > maxBucketDepth {
		return damaged("page %d: inline page of %d bytes is no leaf", id, len(inline))
	}
	return p.leaf(inline, id, nil, nil, buckets)
}

// element returns the key and value of an element at b[at:], whose data begins
// pos bytes after it.
func element(b []byte, at int, pos, keySize, valueSize uint32) (key, value []byte, err error) {
	start := uint64(at) + uint64(pos)
	mid := start + uint64(keySize)
	stop := mid + uint64(valueSize)
	if keySize == 0 || stop > uint64(len(b)) {
		return nil, nil, damaged("key of %d and value of %d bytes at %d of %d", keySize, valueSize, start, len(b))
	}
	return b[start:mid], b[mid:stop], nil
}

// inRange checks ascending keys against what the parent page states of them.
func inRange(id uint64, keys [][]byte, low, end []byte) error {
	if len(keys) == 0 {
		if low != nil {
			return damaged("page %d: empty below a branch", id)
		}
		return nil
	}
	// bbolt's own check allows a first key above the parent's, but bbolt never writes
	// one, and to write to such a page would leave it in the tree twice.
	if low != nil && !bytes.Equal(keys[0], low) {
		return damaged("page %d: first key %x, its parent has %x", id, keys[0], low)
	}
	if end != nil && bytes.Compare(keys[len(keys)-1], end) >= 0 {
		return damaged("page %d: last key above its parent's next", id)
	}
	return nil
}
