// The core as a Python module, without any framework: addrnn._core.

#include "cc_ops/core/dispatch.h"
#include "cc_ops/core/thread_pool.h"
#include "cc_ops/python/floating.h"
#include "cc_ops/python/integer.h"
#include "cc_ops/python/xla.h"

namespace addrnn {
namespace {

namespace py = pybind11;

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ core of keras_addrnn.";
  module.attr("version") = ADDRNN_VERSION;
  DefineFloating(module);
  DefineInteger(module);
  DefineXla(module);
  module.def("instruction_set", &InstructionSet, "The instruction set in use.");
  module.def("available_instruction_sets", &AvailableInstructionSets,
             "Those this machine can run, best first.");
  module.def("num_threads", &NumThreads, "The number of threads a call may use.");
  module.def("set_num_threads", &SetNumThreads, py::arg("n"),
             "Sets it; 0: one for each processor.");
}

}  // namespace
}  // namespace addrnn
