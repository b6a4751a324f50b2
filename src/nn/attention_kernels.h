// The fast forms of attention: the CPU's kernels on tensors and threads.
#pragma once

#include "nn/attention.h"
#include "nn/kernels.h"

namespace vesalius::nn {

/// What packed_attention() gives; undefined where the kernels don't fit (heads of more than 128
/// channels).
at::Tensor kernel_attention(const KernelTable& kernels, Qkv x, int64_t heads,
                            const std::vector<Sequences>& groups, const PadKeys& pads);

/// What text_attention() gives; undefined where the kernels don't fit (heads of more than 256
/// channels, other types).
at::Tensor kernel_text_attention(const KernelTable& kernels, const at::Tensor& q, at::Tensor keys,
                                 at::Tensor values, int64_t window);

/// What channel_attention() gives; undefined where groups don't have 32 channels.
at::Tensor kernel_channel_attention(const KernelTable& kernels, const at::Tensor& qkv,
                                    int64_t groups);

}  // namespace vesalius::nn
