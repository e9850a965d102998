# The libtorch to build against: the folder LIBTORCH (include/ and lib/, as in PyTorch's archives and wheels), else what CMake finds.
#   sets TORCH_LIBRARIES and TORCH_CXX_FLAGS
# The folder's own CMake files are not asked: they want CUDA's compiler where its headers are enough, and wheels move them about.
set(LIBTORCH "" CACHE PATH "A libtorch folder with include/ and lib/ instead of the system's")
if(NOT LIBTORCH)
  find_package(Torch REQUIRED)
  return()
endif()

if(NOT EXISTS "${LIBTORCH}/include/ATen/ATen.h")
  message(FATAL_ERROR "LIBTORCH=${LIBTORCH} has no include/ATen/ATen.h: name the folder that holds libtorch's include/ and lib/")
endif()
set(TORCH_LIBRARIES)
foreach(name torch torch_cpu c10)
  find_library(LIBTORCH_${name} NAMES ${name} PATHS "${LIBTORCH}/lib" NO_DEFAULT_PATH REQUIRED)
  list(APPEND TORCH_LIBRARIES "${LIBTORCH_${name}}")
endforeach()
# CUDA's kernels register themselves when they are loaded: nothing names them, so the linker must not leave them out.
list(PREPEND TORCH_LIBRARIES -Wl,--no-as-needed)
set(TORCH_INCLUDES "${LIBTORCH}/include" "${LIBTORCH}/include/torch/csrc/api/include")
find_library(LIBTORCH_c10_cuda NAMES c10_cuda PATHS "${LIBTORCH}/lib" NO_DEFAULT_PATH)
if(LIBTORCH_c10_cuda)
  find_library(LIBTORCH_torch_cuda NAMES torch_cuda PATHS "${LIBTORCH}/lib" NO_DEFAULT_PATH REQUIRED)
  list(APPEND TORCH_LIBRARIES "${LIBTORCH_torch_cuda}" "${LIBTORCH_c10_cuda}")
  find_package(CUDAToolkit)  # its headers and runtime; without them the library has no streams, graphs and statistics
  if(CUDAToolkit_FOUND)
    list(APPEND TORCH_LIBRARIES CUDA::cudart)
    list(APPEND TORCH_INCLUDES ${CUDAToolkit_INCLUDE_DIRS})
  endif()
endif()

# Which of the two string ABIs of libstdc++ it was built with: PyTorch's before 2.6 mostly with the old one.
include(CheckCXXSourceCompiles)
list(TRANSFORM TORCH_INCLUDES PREPEND "-isystem " OUTPUT_VARIABLE TORCH_CXX_FLAGS)
list(JOIN TORCH_CXX_FLAGS " " TORCH_CXX_FLAGS)
set(CMAKE_REQUIRED_LIBRARIES ${TORCH_LIBRARIES})
foreach(abi 1 0)
  set(CMAKE_REQUIRED_FLAGS "${TORCH_CXX_FLAGS} -std=c++17 -D_GLIBCXX_USE_CXX11_ABI=${abi}")
  check_cxx_source_compiles("#include <c10/util/Exception.h>
    int main() { throw c10::Error(c10::SourceLocation{__func__, __FILE__, 0}, std::string()); }" LIBTORCH_STRING_ABI_${abi})
  if(LIBTORCH_STRING_ABI_${abi})
    string(APPEND TORCH_CXX_FLAGS " -D_GLIBCXX_USE_CXX11_ABI=${abi}")
    break()
  endif()
endforeach()
if(NOT LIBTORCH_STRING_ABI_1 AND NOT LIBTORCH_STRING_ABI_0)
  message(FATAL_ERROR "nothing links against the libtorch in ${LIBTORCH}: see CMakeFiles/CMakeError.log")
endif()
