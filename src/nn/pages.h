// Memory of large weights: huge pages for what is laid out anew, and mapped files' pages let go.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace vesalius::nn {

/// fp32 memory of `count` floats, not initialised, on huge pages where it is large and the system
/// allows.
at::Tensor huge_empty(int64_t count);

/// A fp32 tensor for what stands between layers, not initialised. Large ones come from a pool of
/// huge pages that freed ones go back to (at most 384 MB wait there): the system would clear every
/// page anew, which costs a tenth of a forward pass.
at::Tensor pooled_empty(at::IntArrayRef shape);

/// Lets go of the pages of a tensor that lies in a file mapped read-only: they no longer count as
/// this process's memory and come back from the file when touched. Does nothing for other memory.
void release_file_pages(const at::Tensor& tensor);

}  // namespace vesalius::nn
