package train

import "errors"

// What can be wrong with a training run's ingredients.
var (
	// ErrSamples: the samples do not fit the network or themselves.
	ErrSamples = errors.New("train: bad samples")
	// ErrNetwork: the layers do not fit together, or the model is no chain of
	// dense layers.
	ErrNetwork = errors.New("train: bad network")
	// ErrOptions: an option is out of range.
	ErrOptions = errors.New("train: bad option")
)

// ErrDiverged: the loss became infinite or NaN while training.
var ErrDiverged = errors.New("train: diverged")
