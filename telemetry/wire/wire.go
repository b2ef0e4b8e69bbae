// Package wire defines what a device and the centre say to each other over
// MQTT: topics, versioned messages and their limits. docs/protocol.md is its
// prose form.
//
// The first calls are DeviceTopics, which gives a device's topics, and Decode,
// which reads a message of any kind. A message that Decode returned has passed
// its Check. The package does no I/O and keeps no state.
package wire

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Version is the version of the messages and the `v1` of the topics.
const Version = 1

// MaxMessage is the size limit of a JSON message in bytes: AWS IoT's packet
// limit, the lowest of the common brokers'.
const MaxMessage = 128 << 10

// Errors from reading a message or a topic.
var (
	// ErrMalformed: not a message of the expected form.
	ErrMalformed = errors.New("malformed message")
	// ErrTooLarge: over MaxMessage.
	ErrTooLarge = errors.New("message too large")
	// ErrTopic: not a topic of this protocol.
	ErrTopic = errors.New("not a kedge topic")
)

// A Message is anything that Decode can read.
type Message interface {
	// Check reports what is wrong with the message, as an error that wraps ErrMalformed.
	Check() error
}

// Decode reads a JSON message into m and checks it. Unknown members are passed
// over, so that newer devices can talk to older centres.
func Decode(data []byte, m Message) error {
	if len(data) > MaxMessage {
		return fmt.Errorf("%T of %d bytes, at most %d: %w", m, len(data), MaxMessage, ErrTooLarge)
	}
	if err := json.Unmarshal(data, m); err != nil {
		return fmt.Errorf("%T: %w: %w", m, ErrMalformed, err)
	}
	if err := m.Check(); err != nil {
		return fmt.Errorf("%T: %w", m, err)
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}
