package runtimetest

import "kedge/runtime/tflite"

// schema lists the fields of the tables of the TFLite schema in its order, as
// name:type. Types are u8 to u64 and f32, signed or not, string, the name of a
// table or union, and a vector of one of these in brackets. A union has two fields,
// the first for its type. Options is any table of builtin options.
var schema = map[string]string{
	"Model":                  "version:u32 operator_codes:[OperatorCode] subgraphs:[SubGraph] description:string buffers:[Buffer] metadata_buffer:[u32] metadata:[Metadata] signature_defs:[SignatureDef]",
	"OperatorCode":           "deprecated_builtin_code:u8 custom_code:string version:u32 builtin_code:u32",
	"SubGraph":               "tensors:[Tensor] inputs:[u32] outputs:[u32] operators:[Operator] name:string debug_metadata_index:u32",
	"Tensor":                 "shape:[u32] type:u8 buffer:u32 name:string quantization:QuantizationParameters is_variable:u8 sparsity:SparsityParameters shape_signature:[u32] has_rank:u8 variant_tensors:[Variant] external_buffer:u32",
	"QuantizationParameters": "min:[f32] max:[f32] scale:[f32] zero_point:[u64] details_type:u8 details:Unknown quantized_dimension:u32",
	"SparsityParameters":     "traversal_order:[u32] block_map:[u32] dim_metadata:[DimensionMetadata]",
	"DimensionMetadata":      "format:u8 dense_size:u32 array_segments_type:u8 array_segments:Indices array_indices_type:u8 array_indices:Indices",
	"Operator":               "opcode_index:u32 inputs:[u32] outputs:[u32] builtin_options_type:u8 builtin_options:Options custom_options:[u8] custom_options_format:u8 mutating_variable_inputs:[u8] intermediates:[u32] large_custom_options_offset:u64 large_custom_options_size:u64 builtin_options_2_type:u8 builtin_options_2:Unknown debug_metadata_index:u32",
	"Buffer":                 "data:[u8] offset:u64 size:u64",
	"Metadata":               "name:string buffer:u32",
	"SignatureDef":           "inputs:[TensorMap] outputs:[TensorMap] signature_key:string deprecated_tag:string subgraph_index:u32",
	"TensorMap":              "name:string tensor_index:u32",
	"Variant":                "shape:[u32] type:u8 has_rank:u8",
	"Unknown":                "",
}

// indexVectors are the members of the union SparseIndexVector, by its type.
var indexVectors = [...]string{"", "values:[u32]", "values:[u16]", "values:[u8]"}

// optionVectors are the options tables that hold more than scalars.
var optionVectors = map[tflite.Code]string{
	tflite.Reshape:   "new_shape:[u32]",
	tflite.Squeeze:   "squeeze_dims:[u32]",
	tflite.VarHandle: "container:string shared_name:string",
}

// maxConstant is up to how many bytes a buffer's content counts as fields, not as
// weights: axes, shapes and the like are below.
const maxConstant = 128

// ends is how many elements are listed at either end of a vector of numbers,
// which in a model of many channels has thousands of scales.
const ends = 16
