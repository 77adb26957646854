// Compiles if cc_ops/tf/c_api.h says what TensorFlow's own headers say; never linked or run.

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

namespace ours {
#include "cc_ops/tf/c_types.h"
}

#define SAME_NUMBER(name) \
  static_assert(static_cast<unsigned>(ours::name) == static_cast<unsigned>(::name), #name)
SAME_NUMBER(TF_OK);
SAME_NUMBER(TF_INVALID_ARGUMENT);
SAME_NUMBER(TF_RESOURCE_EXHAUSTED);
SAME_NUMBER(TF_INTERNAL);
SAME_NUMBER(TF_FLOAT);
SAME_NUMBER(TF_DOUBLE);
SAME_NUMBER(TF_BFLOAT16);
SAME_NUMBER(TF_HALF);
static_assert(sizeof(ours::TF_Code) == sizeof(::TF_Code), "TF_Code");
static_assert(sizeof(ours::TF_DataType) == sizeof(::TF_DataType), "TF_DataType");

// c_types.h is not read again, so these declare TensorFlow's functions with TensorFlow's types. One
// of C cannot be declared twice with different types.
#include "cc_ops/tf/c_api.h"
