// Package buffer keeps what a device must not forget: samples just seen, and
// messages that no broker has acknowledged yet, evidence of drift among them. It
// holds them in two bbolt files of one directory:
//
//   - state.db, tiny and rarely written: version floors, detector state,
//     sequence floors ([State]);
//   - queue.db: the input ring ([Ring]) and the outbox ([Outbox]).
//
// The first call is [Open]; it returns a [Buffer] whose fields are those three
// stores. [Buffer.Recovered] then says what, if anything, was lost on the way.
//
// # Guarantees
//
// Every record that was ever offered is accounted for: in each store produced =
// done + queued + dropped ([Tally.Balanced]). The tallies live in queue.db and
// change in the same transaction as the records they count; [Buffer.Check]
// compares them with a full count.
//
// A damaged file never stops the agent. Each file is walked page by page before
// bbolt maps it (bbolt itself dies of a truncated file: it walks the tree in a
// goroutine of its own, out of reach of recover), and every later access runs
// under a guard that turns memory faults and panics into errors. A file that is
// beyond use is renamed to <name>.corrupt-<boot>, one such file is kept, a new
// one is begun, and the number of lost records is reported. A single damaged
// record is skipped, deleted and counted: each carries a CRC32C over key and
// value. One case is out of reach: after a commit that the disk refused, bbolt itself
// walks the tree in a goroutine, and a page that cannot be read in that moment ends the
// process.
//
// A full disk costs nothing that is already stored: the call that needed space
// returns [ErrFull], and the next one after space was freed succeeds.
//
// An error from a commit does not always mean that nothing was written: the
// device may fail after the last page was handed to it. The package then reads
// the file again to learn what happened. If the change is visible but was not
// confirmed by the disk, the call returns [ErrUncertain]: the record is stored
// and counted, and must not be offered again.
//
// # Concurrency
//
// All methods may be called from any goroutine. One mutex serializes writers;
// readers work on snapshots. One goroutine per Buffer commits what is pending
// (at most Options.BatchRecords or Options.BatchAge late); [Buffer.Close] commits
// the rest and joins it. No method calls back into the caller while it holds a
// lock, except for the skip function of [Outbox.Next].
//
// One process owns a directory at a time: a second Open returns [ErrLocked].
package buffer
