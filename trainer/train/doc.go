// Package train makes and renews the networks that devices run.
//
// Two ways lead to a model. Fit is the built-in trainer for dense
// classifiers: minibatches, Adam or SGD, softmax cross-entropy, on one core in
// about a second, so that nobody needs another language installed. Command runs
// the user's own program under a contract of files instead, for everything
// else.
//
// A first model comes from Fit with Defaults. A retrained one comes from Fit
// with WarmDefaults, starting at the running network (kept by the caller, or
// read back from its int8 file with FromTFLite), on the original samples and
// those labeled since, which Combine weights. Dense.Int8 turns either into the .tflite file
// that is released; CrossConfidences gives the confidences on unseen samples
// that a drift detector takes as its reference.
//
// Samples come transformed and standardized; where they come from is none of
// this package's business. Everything is seeded: the same inputs give the same
// bytes on the same machine. Functions may run concurrently on different or
// equal inputs, none of which they change.
package train
