package mqtt

import (
	"errors"
)

var (
	// ErrNotConnected says that there is no connection to publish on.
	ErrNotConnected = errors.New("mqtt: not connected")
	// ErrLost says that the connection ended before the broker acknowledged. The
	// broker may or may not have the message.
	ErrLost = errors.New("mqtt: connection lost before the acknowledgement")
	// ErrAckTimeout says that a publication was not acknowledged in AckTimeout.
	ErrAckTimeout = errors.New("mqtt: the broker does not acknowledge")
	// ErrRefused says that the broker refused a subscription.
	ErrRefused = errors.New("mqtt: subscription refused")
	// ErrInvalid says that a topic, filter or QoS breaks MQTT's rules.
	ErrInvalid = errors.New("mqtt: invalid")
)
