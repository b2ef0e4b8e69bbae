// Package runtime runs int8 .tflite models. It is the only door through which
// the rest of the project reaches the packages below it.
//
// [Load] checks a model and prepares its operators; [Model.NewSession] gives it
// memory; the [Session] is an [Invoker]: fill Input(0), call Invoke, read
// Output(0).
//
//	model, err := runtime.Load(file, runtime.Options{})
//	session, err := model.NewSession(runtime.SessionOptions{})
//	copy(session.Input(0), sample)
//	err = session.Invoke()
//	use(session.Output(0))
//
// It guarantees that a model gives the same bytes on every architecture and
// with every kernel set, those of TensorFlow Lite Micro's reference kernels; that
// no file makes it panic or allocate beyond 16 times the file's length plus 1 MiB
// beside the planned arena, whose size [Options] limits, as they limit the work of
// an inference; and that Invoke does not allocate.
//
// A Model may be used concurrently and shares its weights among its sessions. A
// Session belongs to one goroutine at a time.
package runtime
