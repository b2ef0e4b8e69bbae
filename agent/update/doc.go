// Package update decides which model a device runs, and gets it there: signed
// documents, the download in chunks, two slots on disk, the self-test, the switch.
//
// The first call is [Open] on the state directory of an enrolled device; then
// [Updater.Active] gives the model to start with and [Updater.Run] carries out
// assignments. Documents and chunks that arrive are handed over by the Handle
// methods, requests leave by the [Transport], and every change of state is told
// to Options.Report. [Updater.Install] takes the same update from a file;
// [Verify] checks such a file without installing it.
//
// # State directory
//
//	root.json                 the root envelope in force
//	active                    the slot in service: "a" or "b"
//	slots/a, slots/b:
//	  release.json            the release envelope; a slot without it is not valid
//	  root.json               the root under which that release was verified
//	  bundle.zip              the bundle that it names, or a part of it
//	  staging.json            of which release the part is
//	  staging.map             which chunks of it there are
//
// # Guarantees
//
// Nothing is taken into service before the release role has signed it, its bytes
// on disk have the signed digest, the model loads within Options.MaxArena, its
// inputs and outputs are the signed ones, it has computed every golden sample
// byte for byte on this board, and Options.Check has nothing against it. Digest and signature are checked again at
// every start. Whatever fails, the old model stays; the release is then not
// tried again until an assignment with a new sequence number asks for it.
//
// A power cut at any moment leaves the old model or the new one, whole: a slot
// is emptied before it is written, becomes valid by one rename, and is put into
// service by another; each is forced to disk before the next step.
//
// An assignment once accepted cannot be replayed over a later one, and versions
// below a release's security floor cannot come back. Both are kept in the
// [Store]; the floors are also rebuilt from the releases in the slots, should
// the store be lost. What somebody writes straight to the disk is not defended against.
//
// # Concurrency
//
// All methods may be called from any goroutine. The Handle methods copy what
// they are given into bounded queues and never block. One goroutine, that of
// Run, does everything else and makes all calls to Transport, Activate and
// Report; Install takes its turn with it.
package update
