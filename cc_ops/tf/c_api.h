#ifndef KERAS_ADDRNN_CC_OPS_TF_C_API_H_
#define KERAS_ADDRNN_CC_OPS_TF_C_API_H_

// The part of TensorFlow's C interface that the ops use, declared anew: the build then needs no
// TensorFlow. The builds make of the names before a "(" a library to link with, so each stands on
// one line with it. tests/cc_ops/tf compares all of this with TensorFlow's own headers.

#include <stddef.h>
#include <stdint.h>

#include "cc_ops/tf/c_types.h"

extern "C" {

// The outcome of a call.
TF_Status* TF_NewStatus();
void TF_DeleteStatus(TF_Status* status);
void TF_SetStatus(TF_Status* status, TF_Code code, const char* message);
TF_Code TF_GetCode(const TF_Status* status);
const char* TF_Message(const TF_Status* status);

// Tensors.
void TF_DeleteTensor(TF_Tensor* tensor);
int TF_NumDims(const TF_Tensor* tensor);
int64_t TF_Dim(const TF_Tensor* tensor, int axis);
int64_t TF_TensorElementCount(const TF_Tensor* tensor);
void* TF_TensorData(const TF_Tensor* tensor);

// A kernel: what makes its state, what computes a call with it, and what deletes it.
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device,
                                      void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*),
                                      void (*destroy)(void*));
void TF_KernelBuilder_TypeConstraint(TF_KernelBuilder* builder, const char* attribute,
                                     TF_DataType type, TF_Status* status);
void TF_RegisterKernelBuilder(const char* kernel, TF_KernelBuilder* builder, TF_Status* status);

// The attributes of the node that a kernel is made for.
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction* construction,
                                          const char* attribute, float* value, TF_Status* status);
void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction* construction,
                                         const char* attribute, unsigned char* value,
                                         TF_Status* status);
// `size` is that of the buffer; what is too long for it is cut off.
void TF_OpKernelConstruction_GetAttrString(TF_OpKernelConstruction* construction,
                                           const char* attribute, char* value, size_t size,
                                           TF_Status* status);
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction* construction, TF_Status* status);

// A call of a kernel. Whoever gets a tensor deletes it.
void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status* status);
TF_DataType TF_ExpectedOutputDataType(TF_OpKernelContext* context, int index);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType type,
                             const int64_t* dims, int rank, size_t bytes, TF_Status* status);
void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status* status);

// The definition of an op.
TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* op);
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder* builder, const char* name_and_type);
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder* builder, const char* name_and_type);
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder* builder, const char* name_and_type);
void TF_OpDefinitionBuilderSetShapeInferenceFunction(TF_OpDefinitionBuilder* builder,
                                                     void (*infer)(TF_ShapeInferenceContext*,
                                                                   TF_Status*));
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder* builder, TF_Status* status);

// Shapes. A function that has a `result` writes into a handle that the caller made.
TF_ShapeHandle* TF_NewShapeHandle();
void TF_DeleteShapeHandle(TF_ShapeHandle* shape);
TF_DimensionHandle* TF_NewDimensionHandle();
void TF_DeleteDimensionHandle(TF_DimensionHandle* dim);
int TF_DimensionHandleValueKnown(TF_DimensionHandle* dim);
int64_t TF_DimensionHandleValue(TF_DimensionHandle* dim);

void TF_ShapeInferenceContextGetInput(TF_ShapeInferenceContext* context, int index,
                                      TF_ShapeHandle* result, TF_Status* status);
void TF_ShapeInferenceContextSetOutput(TF_ShapeInferenceContext* context, int index,
                                       TF_ShapeHandle* shape, TF_Status* status);
void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext* context, TF_Status* status);
int TF_ShapeInferenceContextRankKnown(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape);
int64_t TF_ShapeInferenceContextRank(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape);
void TF_ShapeInferenceContextDim(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape,
                                 int64_t axis, TF_DimensionHandle* result);
void TF_ShapeInferenceContextSubshape(TF_ShapeInferenceContext* context, TF_ShapeHandle* shape,
                                      int64_t begin, int64_t end, TF_ShapeHandle* result,
                                      TF_Status* status);
void TF_ShapeInferenceContextConcatenateShapes(TF_ShapeInferenceContext* context,
                                               TF_ShapeHandle* first, TF_ShapeHandle* second,
                                               TF_ShapeHandle* result, TF_Status* status);
TF_ShapeHandle* TF_ShapeInferenceContextVectorFromSize(TF_ShapeInferenceContext* context,
                                                       size_t size);

}  // extern "C"

#endif  // KERAS_ADDRNN_CC_OPS_TF_C_API_H_
