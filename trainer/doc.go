// Package trainer is the centre: it puts store, keys, broker, fleet and jobs
// together into the program that serves devices.
//
// [OpenWorkbench] is enough for what is done by hand: importing a base set,
// training a first model, releasing and assigning. [Open] makes a [Trainer], a
// workbench with a broker; [Trainer.Run] then serves until its context ends.
// Both may be open on one folder at the same time, in different processes:
// what is assigned by hand is published by the one that serves.
//
// State is in the store alone. A Trainer that was killed and is opened again
// goes on where it was: devices send again what was not acknowledged, and work
// is derived anew from reports that have labels and no answer.
//
// Exported methods may be called concurrently.
package trainer
