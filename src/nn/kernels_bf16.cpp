// Compiled for AVX-512 with BF16 and VNNI; see cmake/Folders.cmake.
#if defined(__AVX512BF16__) && defined(__AVX512VNNI__)
#include "nn/kernels_table.h"

namespace vesalius::nn {
const KernelTable kBf16Kernels = table_of<Bf16, Avx512, Whole512, VnniSums>();
}  // namespace vesalius::nn
#endif
