// A module of its own: cgo and a C library stay out of everything else.
module kedge/tools/ortbench

go 1.26.0

require github.com/yalue/onnxruntime_go v1.27.0
