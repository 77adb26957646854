#ifndef KERAS_ADDRNN_CC_OPS_CORE_THREAD_POOL_H_
#define KERAS_ADDRNN_CC_OPS_CORE_THREAD_POOL_H_

// A small pool of threads for the process. TensorFlow's C interface gives an op no access to its
// own.

namespace addrnn {

// The number of threads, the calling one included, that ParallelFor may use. At first: the number
// of processors that the process may run on. SetNumThreads(0) goes back to that.
int NumThreads();
void SetNumThreads(int n);

// A function of an index that lives elsewhere. (A std::function may allocate.)
struct Body {
  const void* function;
  void (*call)(const void* function, int i);
};
void ParallelFor(int n, const Body& body);

// Calls body(i) for i in [0, n), each once, in any order, on the calling thread and on those of the
// pool; all are done when it returns. `body` must not throw. Calls from several threads at once are
// fine: one gets the pool, the others do their own work alone, which keeps the processors as busy.
// Works in a forked process too. Allocates only when there must be more threads than ever before.
template <typename Function>
void ParallelFor(int n, const Function& body) {
  ParallelFor(n, Body{&body, [](const void* function, int i) {
                        (*static_cast<const Function*>(function))(i);
                      }});
}

}  // namespace addrnn

#endif  // KERAS_ADDRNN_CC_OPS_CORE_THREAD_POOL_H_
