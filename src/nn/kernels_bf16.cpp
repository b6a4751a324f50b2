// Compiled for AVX-512 with BF16; see cmake/Folders.cmake.
#if defined(__AVX512BF16__)
#include "nn/kernels_table.h"

namespace vesalius::nn {
const KernelTable kBf16Kernels = table_of<Bf16, Avx512>();
}  // namespace vesalius::nn
#endif
