// The external delegate: what LiteRT calls when it loads libaddrnn_delegate.so.

#include <charconv>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cc_ops/core/error.h"
#include "cc_ops/lite/add_gru_int_kernel.h"
#include "cc_ops/lite/add_gru_kernel.h"
#include "cc_ops/lite/min_add_gru_int_kernel.h"
#include "cc_ops/lite/min_add_gru_kernel.h"
#include "cc_ops/lite/settings.h"

#define ADDRNN_EXPORT extern "C" __attribute__((visibility("default")))

namespace addrnn {
namespace {

struct Operator {
  const char* name;
  TfLiteRegistration (*kernel)();
};
constexpr Operator kOperators[] = {{"AddGru", &AddGruKernel},
                                   {"MinAddGru", &MinAddGruKernel},
                                   {"AddGruInt", &AddGruIntKernel},
                                   {"MinAddGruInt", &MinAddGruIntKernel},
                                   {"AddGruIntDense", &AddGruIntDenseKernel}};

// Null where it is not one of ours.
const Operator* Ours(const TfLiteRegistration& registration) {
  if (registration.custom_name == nullptr) return nullptr;
  for (const Operator& known : kOperators) {
    if (std::strcmp(registration.custom_name, known.name) == 0) return &known;
  }
  return nullptr;
}

// Takes every operator of ours in a graph, sound or not: nobody else could run it, and ours say
// what is wrong with it.
TfLiteStatus Claim(TfLiteContext* context, TfLiteDelegate* delegate) {
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) return kTfLiteError;
  std::vector<std::pair<int, const Operator*>> claimed;
  for (int i = 0; i < plan->size; ++i) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration) !=
        kTfLiteOk) {
      return kTfLiteError;
    }
    if (const Operator* ours = Ours(*registration)) claimed.emplace_back(plan->data[i], ours);
  }
  // One by one: of a group the interpreter would make one node, and hide the tensors between.
  for (const auto& [index, ours] : claimed) {
    alignas(TfLiteIntArray) int nodes[] = {1, index};
    if (context->ReplaceNodeSubsetsWithDelegateKernels(context, ours->kernel(),
                                                       reinterpret_cast<TfLiteIntArray*>(nodes),
                                                       delegate) != kTfLiteOk) {
      return kTfLiteError;
    }
  }
  return kTfLiteOk;
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  try {
    return Claim(context, delegate);
  } catch (const std::exception& error) {
    context->ReportError(context, "keras_addrnn: %s", error.what());
    return kTfLiteError;
  }
}

struct Delegate : TfLiteDelegate {
  DelegateSettings settings;
};

void ReadOption(const std::string& key, const std::string& value, DelegateSettings* settings) {
  if (key != "num_threads") throw Error("unknown option '" + key + "'; there is num_threads");
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, settings->num_threads);
  if (error != std::errc() || rest != end || settings->num_threads < 1) {
    throw Error("option num_threads must be a positive integer, received '" + value + "'");
  }
}

}  // namespace
}  // namespace addrnn

ADDRNN_EXPORT TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys,
                                                            const char* const* values, size_t n,
                                                            void (*report_error)(const char*)) {
  try {
    auto made = std::make_unique<addrnn::Delegate>();
    for (size_t i = 0; i < n; ++i) {
      addrnn::ReadOption(keys[i], values[i], &made->settings);
    }
    made->data = &made->settings;
    made->Prepare = &addrnn::Prepare;
    made->flags = kTfLiteAllowDynamicTensors;
    return made.release();
  } catch (const addrnn::Error& error) {
    if (report_error != nullptr)
      report_error((std::string("keras_addrnn: ") + error.what()).c_str());
    return nullptr;
  } catch (const std::exception& error) {
    if (report_error != nullptr) report_error(error.what());
    return nullptr;
  }
}

ADDRNN_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) {
  delete static_cast<addrnn::Delegate*>(delegate);
}
