package buffer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// castagnoli is the polynomial of CRC32C; arm64 and amd64 have instructions for it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A stored value is
//
//	crc32c  4 bytes, little-endian, over key, version and body
//	version 1 byte
//	body
//
// The key is part of the sum: a flipped bit in a key would otherwise hand out a
// sound record under a wrong number.
const (
	recordVersion  = 1
	recordOverhead = 5
)

// Record is one sample of the ring.
type Record struct {
	Seq     uint64
	Payload []byte
}

// encodeRecord builds the stored value of body under key.
func encodeRecord(key, body []byte) []byte {
	v := make([]byte, recordOverhead+len(body))
	v[4] = recordVersion
	copy(v[recordOverhead:], body)
	binary.LittleEndian.PutUint32(v, recordSum(key, v))
	return v
}

// decodeRecord checks a stored value and returns its body, which aliases value.
func decodeRecord(key, value []byte) ([]byte, error) {
	if len(value) < recordOverhead {
		return nil, damaged("record %x: %d bytes, want at least %d", key, len(value), recordOverhead)
	}
	if got, want := recordSum(key, value), binary.LittleEndian.Uint32(value); got != want {
		return nil, damaged("record %x: checksum %08x, want %08x", key, got, want)
	}
	if value[4] != recordVersion {
		return nil, damaged("record %x: version %d, want %d", key, value[4], recordVersion)
	}
	return value[recordOverhead:], nil
}

// recordSum sums the key and everything of value but the sum itself.
func recordSum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value[4:])
}

// A message's body is
//
//	flags  1 byte: bits 0 and 1 the QoS, bit 2 retain
//	length 2 bytes, little-endian, of the topic
//	topic, payload
const messageOverhead = 3

// encodeMessage builds the body of an outbox record.
func encodeMessage(m Message) []byte {
	body := make([]byte, messageOverhead, messageOverhead+len(m.Topic)+len(m.Payload))
	body[0] = m.QoS
	if m.Retain {
		body[0] |= 4
	}
	binary.LittleEndian.PutUint16(body[1:], uint16(len(m.Topic)))
	body = append(body, m.Topic...)
	return append(body, m.Payload...)
}

// decodeMessage reads the body of an outbox record; payload is copied.
func decodeMessage(body []byte) (Message, error) {
	if len(body) < messageOverhead {
		return Message{}, damaged("message of %d bytes", len(body))
	}
	flags, n := body[0], int(binary.LittleEndian.Uint16(body[1:]))
	if flags&^7 != 0 || flags&3 > 2 || n > len(body)-messageOverhead {
		return Message{}, damaged("message with flags %#x and a topic of %d bytes in %d", flags, n, len(body))
	}
	rest := body[messageOverhead:]
	return Message{
		Topic:   string(rest[:n]),
		Payload: append([]byte(nil), rest[n:]...),
		QoS:     flags & 3,
		Retain:  flags&4 != 0,
	}, nil
}

// seqKey is the key of a numbered record: big-endian, so that bbolt's byte order
// is the numeric one.
func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// keySeq reads a key made by seqKey.
func keySeq(key []byte) (uint64, error) {
	if len(key) != 8 {
		return 0, fmt.Errorf("%w: key %x, want 8 bytes", ErrDamaged, key)
	}
	return binary.BigEndian.Uint64(key), nil
}

// cost estimates the bytes of file that a record with a value of n bytes takes:
// small ones share pages, and of large ones bbolt puts two on a run of pages.
func cost(n int) int64 {
	c := int64(n) + 64
	if c > pageSize/4 {
		c = (c + pageSize/2 - 1) / (pageSize / 2) * (pageSize / 2)
	}
	return c
}
