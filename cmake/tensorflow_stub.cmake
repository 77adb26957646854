# addrnn_tensorflow: stands in for TensorFlow's library while the op is linked, so that nobody needs
# TensorFlow to build. It has the names that cc_ops/tf/c_api.h declares and does nothing. It is never
# installed or loaded: the process has TensorFlow's own library, of the same name, when it loads the op.

set(header "${CMAKE_CURRENT_SOURCE_DIR}/cc_ops/tf/c_api.h")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
file(READ "${header}" declarations)
string(REGEX MATCHALL "TF_[A-Za-z_]+\\(" functions "${declarations}")
list(TRANSFORM functions REPLACE "(.*)\\(" "extern \"C\" void \\1() {}\n")
list(JOIN functions "" functions)
file(CONFIGURE OUTPUT tensorflow_stub/stub.cc CONTENT "${functions}" @ONLY)

add_library(addrnn_tensorflow SHARED "${CMAKE_CURRENT_BINARY_DIR}/tensorflow_stub/stub.cc")
# libtensorflow_framework.so.2, and on macOS libtensorflow_framework.2.dylib
set_target_properties(addrnn_tensorflow PROPERTIES
  OUTPUT_NAME tensorflow_framework SOVERSION 2 CXX_VISIBILITY_PRESET default
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/tensorflow_stub")
