#ifndef KERAS_ADDRNN_CC_OPS_LITE_REGISTRATION_H_
#define KERAS_ADDRNN_CC_OPS_LITE_REGISTRATION_H_

#include <exception>
#include <memory>
#include <string>

#include "cc_ops/lite/tensors.h"

namespace addrnn {

// A delegate's kernel made of a class K with
//
//   static constexpr const char* kOperator, kDelegateName
//   K(TfLiteContext*, const TfLiteDelegateParams&)
//   void Prepare(TfLiteContext*)   checks the shapes, and brings the outputs to theirs
//   void Invoke(TfLiteContext*)
//
// Whatever they throw becomes a message to the interpreter and an error status.
template <typename K>
class Registration {
 public:
  static TfLiteRegistration Make() {
    TfLiteRegistration registration = {};
    registration.init = &Init;
    registration.free = &Free;
    registration.prepare = &Run<&K::Prepare>;
    registration.invoke = &Run<&K::Invoke>;
    registration.builtin_code = kTfLiteBuiltinDelegate;
    registration.custom_name = K::kDelegateName;
    registration.version = 1;
    return registration;
  }

 private:
  // What is wrong with an operator is said in Prepare.
  struct Made {
    std::unique_ptr<K> kernel;
    std::string wrong;
  };

  static void* Init(TfLiteContext* context, const char* buffer, size_t) {
    try {
      auto made = std::make_unique<Made>();
      try {
        made->kernel =
            std::make_unique<K>(context, *reinterpret_cast<const TfLiteDelegateParams*>(buffer));
      } catch (const Error& error) {
        made->wrong = error.what();
      }
      return made.release();
    } catch (const std::exception&) {
      return nullptr;
    }
  }

  static void Free(TfLiteContext*, void* made) { delete static_cast<Made*>(made); }

  template <void (K::*method)(TfLiteContext*)>
  static TfLiteStatus Run(TfLiteContext* context, TfLiteNode* node) {
    auto* made = static_cast<Made*>(node->user_data);
    try {
      if (made == nullptr) throw Error{"out of memory"};
      if (made->kernel == nullptr) throw Error{made->wrong};
      (made->kernel.get()->*method)(context);
      return kTfLiteOk;
    } catch (const std::exception& error) {
      context->ReportError(context, "%s: %s", K::kOperator, error.what());
    }
    return kTfLiteError;
  }
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_LITE_REGISTRATION_H_
