package graph

// AveragePool2D is the mean of the elements under each window; those outside the
// image do not count. Input (n, h, w, c), output (n, oh, ow, c). The window has
// no dilation.
type AveragePool2D struct {
	Window           Window
	FilterH, FilterW int
	Activation       Activation
}

// Name implements Op.
func (AveragePool2D) Name() string { return "AVERAGE_POOL_2D" }

// MaxPool2D is the greatest element under each window; those outside the image
// do not count. Input (n, h, w, c), output (n, oh, ow, c). The window has no
// dilation.
type MaxPool2D struct {
	Window           Window
	FilterH, FilterW int
	Activation       Activation
}

// Name implements Op.
func (MaxPool2D) Name() string { return "MAX_POOL_2D" }
