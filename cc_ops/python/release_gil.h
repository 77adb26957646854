#ifndef KERAS_ADDRNN_CC_OPS_PYTHON_RELEASE_GIL_H_
#define KERAS_ADDRNN_CC_OPS_PYTHON_RELEASE_GIL_H_

#include <pybind11/pybind11.h>
#include <unistd.h>

namespace addrnn {

// Lets other Python threads run while it lives. While Python ends, up to 3.13, a daemon thread that
// wants the interpreter back is ended by an exception. pybind11's own guard throws it through its
// destructor, which aborts the process. This one holds the thread here until the process is gone,
// as Python does from 3.14 on: the objects above it belong to an interpreter that is no more.
class ReleaseGil {
 public:
  ReleaseGil() : state_(PyEval_SaveThread()) {}
  ~ReleaseGil() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      for (;;) pause();
    }
  }
  ReleaseGil(const ReleaseGil&) = delete;
  ReleaseGil& operator=(const ReleaseGil&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_PYTHON_RELEASE_GIL_H_
