// Package feature turns the numbers that a source delivers into what a model
// takes in, as the model's release declares it. The first call is [Compile],
// with the declared columns; [Tabular.Apply] then transforms one row, and
// [Quantize] makes int8 of it.
//
// It gives the same bits on every architecture: logarithms are its own, and
// every step is rounded by an explicit conversion, since Go fuses
// multiplication and addition on some processors. What the lab computed is
// what the board computes.
//
// A Tabular is immutable; Apply may be called concurrently and does not
// allocate.
package feature
