// Package fleet is the centre's end of the protocol: it takes in what devices
// and sources of truth send, keeps it, answers requests for chunks, and
// publishes what is signed for them.
//
// The first call is [New]. [Fleet.Receive] takes one message; when it returns nil
// the message is in the store, or is one that nobody needs, and may be
// acknowledged to its sender. [Fleet.Publish] publishes every document that is
// newer than what it published before, also those that another process signed.
//
// Events are taken in once however often they come. A message that cannot be
// read is logged and passed over: to refuse it would make its sender repeat it
// for ever. All methods may be called concurrently.
package fleet
