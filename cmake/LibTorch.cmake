# LibTorch from the `torch` wheel, as one small target of our own.
# The wheel's TorchConfig.cmake is not used: a CUDA wheel's insists on an installed CUDA toolkit,
# which linking its libraries does not need.
#
#   VESALIUS_TORCH   the wheel's torch/ folder or an unpacked LibTorch (default: the project's .venv)

if(NOT VESALIUS_TORCH)
  file(GLOB found "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
  list(GET found 0 VESALIUS_TORCH)
endif()
if(NOT EXISTS "${VESALIUS_TORCH}/include/ATen/ATen.h")
  message(FATAL_ERROR "No LibTorch at '${VESALIUS_TORCH}'. Run scripts/try, or pass -DVESALIUS_TORCH=FOLDER "
                      "(the folder that holds include/ATen and lib/libtorch.so).")
endif()

add_library(libtorch INTERFACE)
target_include_directories(libtorch SYSTEM INTERFACE
  "${VESALIUS_TORCH}/include" "${VESALIUS_TORCH}/include/torch/csrc/api/include")
target_link_directories(libtorch INTERFACE "${VESALIUS_TORCH}/lib")
target_link_options(libtorch INTERFACE "LINKER:--no-as-needed" "LINKER:-rpath,${VESALIUS_TORCH}/lib")
target_link_libraries(libtorch INTERFACE torch torch_cpu c10)
if(EXISTS "${VESALIUS_TORCH}/lib/libtorch_cuda.so")
  target_link_libraries(libtorch INTERFACE torch_cuda c10_cuda)
endif()
