// Compiled with -mavx2 -mfma; see cmake/Folders.cmake.
#if defined(__AVX2__)
#include "nn/kernels_table.h"

namespace vesalius::nn {
const KernelTable kAvx2Kernels = table_of<Avx2, Avx2, Whole256, PairSums256>();
}  // namespace vesalius::nn
#endif
