#ifndef KERAS_ADDRNN_CC_OPS_TF_C_TYPES_H_
#define KERAS_ADDRNN_CC_OPS_TF_C_TYPES_H_

// The types of c_api.h. TensorFlow alone looks into the structs. An enum has only those of its
// numbers that are used here. A file of its own, so that a test can put TensorFlow's types in
// place.

struct TF_Status;
struct TF_Tensor;

struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;

struct TF_OpDefinitionBuilder;
struct TF_ShapeInferenceContext;
struct TF_ShapeHandle;
struct TF_DimensionHandle;

// A C compiler makes an unsigned int of an enum without negative numbers.
enum TF_Code : unsigned int {
  TF_OK = 0,
  TF_INVALID_ARGUMENT = 3,
  TF_RESOURCE_EXHAUSTED = 8,
  TF_INTERNAL = 13,
};

enum TF_DataType : unsigned int {
  TF_FLOAT = 1,
  TF_DOUBLE = 2,
  TF_BFLOAT16 = 14,
  TF_HALF = 19,
};

#endif  // KERAS_ADDRNN_CC_OPS_TF_C_TYPES_H_
