// Package tflite decodes .tflite files, the flatbuffers of the TFLite schema
// (file identifier "TFL3", schema version 3), from untrusted bytes into plain
// structs. The first call is [Decode].
//
// It guarantees that no input makes it panic, loop without end or allocate more
// than a fixed multiple of the input's length: every offset is checked
// against the buffer before it is followed, and all that is allocated is paid
// from a [Budget], because a few bytes of flatbuffer may point at the same table
// many times over. Nothing is assumed of alignment. Constant data is
// not copied: it aliases the input, which must then not change.
//
// A decoded [Model] is never written again and may be read concurrently.
package tflite
