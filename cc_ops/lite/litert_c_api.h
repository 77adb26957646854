#ifndef KERAS_ADDRNN_CC_OPS_LITE_LITERT_C_API_H_
#define KERAS_ADDRNN_CC_OPS_LITE_LITERT_C_API_H_

// The part of LiteRT's C interface (TensorFlow Lite's, once) that a delegate needs, declared anew:
// no package of LiteRT brings its headers along. The runtime only ever appends to these structs, so
// one library serves many of its versions. What is not used here is a void* of the right size.

#include <stddef.h>
#include <stdint.h>

extern "C" {

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

enum TfLiteType {
  kTfLiteFloat32 = 1,
  kTfLiteInt32 = 2,
  kTfLiteBool = 6,
  kTfLiteInt16 = 7,
  kTfLiteInt8 = 9,
  kTfLiteFloat16 = 10,
};

// Where a tensor's memory is. The first two cannot be written to.
enum TfLiteAllocationType {
  kTfLiteMemNone = 0,
  kTfLiteMmapRo = 1,
  kTfLiteArenaRw = 2,
  kTfLiteArenaRwPersistent = 3,
  kTfLiteDynamic = 4,
  kTfLitePersistentRo = 5,
  kTfLiteCustom = 6,
};

constexpr int kTfLiteOptionalTensor = -1;          // the index of a tensor that is not there
constexpr int32_t kTfLiteBuiltinDelegate = 51;     // the code of a node that a delegate runs
constexpr int64_t kTfLiteAllowDynamicTensors = 1;  // a flag of TfLiteDelegate

struct TfLiteIntArray {
  int size;
  int data[];
};

struct TfLiteFloatArray {
  int size;
  float data[];
};

// What quantization_params points to where quantization_type is kTfLiteAffineQuantization: real =
// scale * (stored - zero_point), with one of each, or one for each index along a dimension.
constexpr int32_t kTfLiteAffineQuantization = 1;
struct TfLiteAffineQuantization {
  TfLiteFloatArray* scale;
  TfLiteIntArray* zero_point;
  int32_t quantized_dimension;
};

struct TfLiteTensor {
  int32_t type;  // TfLiteType, and more than are named above
  void* data;
  TfLiteIntArray* dims;
  float scale;
  int32_t zero_point;
  int32_t allocation_type;  // TfLiteAllocationType
  size_t bytes;
  const void* allocation;
  const char* name;
  struct TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  int32_t quantization_type;
  void* quantization_params;
  void* sparsity;  // null for a dense tensor
  const TfLiteIntArray* dims_signature;
};

struct TfLiteNode {
  TfLiteIntArray* inputs;  // indices of tensors
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;  // what `init` returned
  void* builtin_data;
  const void* custom_initial_data;  // a custom operator's options
  int custom_initial_data_size;
  struct TfLiteDelegate* delegate;
  bool might_have_side_effect;
};

struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext*, TfLiteIntArray** plan);
  TfLiteTensor* tensors;
  void* impl;
  // Takes `dims`, which malloc gave. (ResizeTensorExplicit is null outside of microcontrollers.)
  TfLiteStatus (*ResizeTensor)(TfLiteContext*, TfLiteTensor* tensor, TfLiteIntArray* dims);
  void (*ReportError)(TfLiteContext*, const char* format, ...);
  void* AddTensors;
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext*, int node_index, TfLiteNode** node,
                                         struct TfLiteRegistration** registration);
  // Gives the nodes to kernels of the delegate, one for each connected group of them.
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext*,
                                                        struct TfLiteRegistration registration,
                                                        const TfLiteIntArray* nodes,
                                                        struct TfLiteDelegate* delegate);
  int recommended_num_threads;  // -1 where nobody said
  // There is more.
};

struct TfLiteRegistration {
  // `buffer` is a TfLiteDelegateParams for a delegate's kernel.
  void* (*init)(TfLiteContext*, const char* buffer, size_t length);
  void (*free)(TfLiteContext*, void* user_data);
  TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*);
  TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*);
  void* profiling_string;
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  void* async_kernel;
  uint64_t inplace_operator;  // 0: no output may share an input's memory
};

struct TfLiteDelegate {
  void* data;  // the delegate's own
  TfLiteStatus (*Prepare)(TfLiteContext*, TfLiteDelegate*);
  void* CopyFromBufferHandle;
  void* CopyToBufferHandle;
  void* FreeBufferHandle;
  int64_t flags;
  void* opaque_delegate_builder;
};

struct TfLiteDelegateParams {
  TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;
  TfLiteIntArray* output_tensors;  // those that something outside of the nodes reads
};

}  // extern "C"

#endif  // KERAS_ADDRNN_CC_OPS_LITE_LITERT_C_API_H_
