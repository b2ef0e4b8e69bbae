// Package mqtt keeps a device or a trainer connected to an MQTT 3.1.1 broker and
// tells the truth about what the broker has.
//
// The first call is [New], then [Session.Run], which connects, subscribes,
// reconnects and returns when its context ends. Messages that must arrive lie in a
// durable [Source] that [Session.Pump] drains; [Session.Publish] is for those whose
// sender can deal with a failure itself. [Session.Subscribe] and [Session.Unsubscribe]
// change what is subscribed to while the session runs.
//
// # Guarantees
//
// Publish with QoS 1 returns nil only after the broker's PUBACK, and Pump
// acknowledges a message to its source only then. A message is therefore delivered
// at least once; receivers drop duplicates by id. Messages of one source leave in
// the source's order, except after a lost connection.
//
// The connection is built on paho.mqtt.golang v1.5.1, of which only one connection
// at a time is asked. With its automatic reconnection a token completes without
// error although the broker never had the message, and messages of QoS 0 vanish
// while it reconnects; its file store does not sync and panics when the disk is
// full; its backoff has no jitter. So each connection gets a fresh client with
// AutoReconnect, ConnectRetry and ResumeSubs off and CleanSession on (with a kept
// session its tokens never complete), an in-memory store, and a deadline on every
// write. Everything that must survive lies with the Source.
//
// A publication that stays unacknowledged for Options.AckTimeout ends the
// connection: the broker answers pings but has lost track of it.
//
// # Concurrency
//
// All methods may be called from any goroutine. Run starts and joins every
// goroutine of the session. Subscription handlers are called one at a time, in the
// order in which the broker sent the messages, on a goroutine of the session's own:
// paho's goroutines only append to a bounded queue and are never blocked. A message
// is acknowledged to the broker after its handler returned, so that a slow handler
// slows the broker down (for QoS 1 and 2, by the broker's own window) instead of
// filling memory; what exceeds the queue is dropped and counted ([Session.Dropped]).
// Handlers may publish.
package mqtt
