#ifndef KERAS_ADDRNN_CC_OPS_TF_OP_DEFINITION_H_
#define KERAS_ADDRNN_CC_OPS_TF_OP_DEFINITION_H_

// What the definitions of the TensorFlow ops, and their shape functions, have in common.

#include <cstdint>
#include <memory>
#include <string>

#include "cc_ops/tf/c_api.h"
#include "cc_ops/tf/status.h"

namespace addrnn {
namespace definition {

constexpr int64_t kUnknown = -1;

struct DeleteShape {
  void operator()(TF_ShapeHandle* handle) const { TF_DeleteShapeHandle(handle); }
};
struct DeleteDimension {
  void operator()(TF_DimensionHandle* handle) const { TF_DeleteDimensionHandle(handle); }
};
using Shape = std::unique_ptr<TF_ShapeHandle, DeleteShape>;

// One shape function at work. The first error stays in the status; later calls do nothing.
class ShapeInference {
 public:
  ShapeInference(const char* op, TF_ShapeInferenceContext* context, TF_Status* status)
      : op_(op), context_(context), status_(status) {
    // What is not set below is unknown.
    TF_ShapeInferenceContextSetUnknownShape(context, status);
  }

  Shape Input(int index) {
    Shape shape(TF_NewShapeHandle());
    if (Ok()) TF_ShapeInferenceContextGetInput(context_, index, shape.get(), status_);
    return shape;
  }

  // -1 where the rank is not known.
  int64_t Rank(const Shape& shape) {
    if (!Ok() || !TF_ShapeInferenceContextRankKnown(context_, shape.get())) return kUnknown;
    return TF_ShapeInferenceContextRank(context_, shape.get());
  }

  // -1 where the dimension, or the rank, is not known.
  int64_t Dim(const Shape& shape, int64_t axis) {
    if (!Ok() || Rank(shape) <= axis) return kUnknown;
    std::unique_ptr<TF_DimensionHandle, DeleteDimension> dim(TF_NewDimensionHandle());
    TF_ShapeInferenceContextDim(context_, shape.get(), axis, dim.get());
    return TF_DimensionHandleValueKnown(dim.get()) ? TF_DimensionHandleValue(dim.get()) : kUnknown;
  }

  void CheckRank(const Shape& shape, const char* name, int64_t least, int64_t most,
                 const char* expected) {
    const int64_t rank = Rank(shape);
    if (rank == kUnknown || (rank >= least && rank <= most)) return;
    Fail(std::string(name) + " must be of shape " + expected + ", received rank " +
         std::to_string(rank));
  }

  // `value`, where it is known, must be `expected`, where that is known.
  void CheckDim(int64_t value, int64_t expected, const std::string& what) {
    if (value == kUnknown || expected == kUnknown || value == expected) return;
    Fail(what + " must be " + std::to_string(expected) + ", received " + std::to_string(value));
  }

  // The dimensions [begin, end) of one shape followed by those of another.
  Shape Join(const Shape& first, int64_t begin, int64_t end, const Shape& second, int64_t from,
             int64_t to) {
    Shape head(TF_NewShapeHandle()), tail(TF_NewShapeHandle()), joined(TF_NewShapeHandle());
    if (Ok())
      TF_ShapeInferenceContextSubshape(context_, first.get(), begin, end, head.get(), status_);
    if (Ok())
      TF_ShapeInferenceContextSubshape(context_, second.get(), from, to, tail.get(), status_);
    if (Ok())
      TF_ShapeInferenceContextConcatenateShapes(context_, head.get(), tail.get(), joined.get(),
                                                status_);
    return joined;
  }

  Shape Vector(int64_t size) {
    return Shape(TF_ShapeInferenceContextVectorFromSize(context_, static_cast<size_t>(size)));
  }

  void SetOutput(int index, const Shape& shape) {
    if (Ok()) TF_ShapeInferenceContextSetOutput(context_, index, shape.get(), status_);
  }

  bool Ok() const { return TF_GetCode(status_) == TF_OK; }

 private:
  void Fail(const std::string& message) {
    if (Ok())
      TF_SetStatus(status_, TF_INVALID_ARGUMENT, (std::string(op_) + ": " + message).c_str());
  }

  const char* op_;
  TF_ShapeInferenceContext* context_;
  TF_Status* status_;
};

// An absent optional input is an empty tensor: nothing is known of its dimensions.
inline int64_t PresentDim(ShapeInference& s, const Shape& shape, int64_t axis) {
  for (int64_t i = 0; i < s.Rank(shape); ++i) {
    if (s.Dim(shape, i) == 0) return kUnknown;
  }
  return s.Dim(shape, axis);
}

inline void Register(TF_OpDefinitionBuilder* builder) {
  const Status status;
  TF_RegisterOpDefinition(builder, status.get());  // takes the builder
  status.AbortUnlessOk("registering an op of keras_addrnn");
}

}  // namespace definition
}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_TF_OP_DEFINITION_H_
