// Compiled for AVX-512 F, BW, DQ and VL; see cmake/Folders.cmake.
#if defined(__AVX512F__)
#include "nn/kernels_table.h"

namespace vesalius::nn {
const KernelTable kAvx512Kernels = table_of<Avx512, Avx512, Whole512, PairSums512>();
}  // namespace vesalius::nn
#endif
