// How layers run: the precision asked for, the kernels that this CPU has for it, and weights laid
// out for them. Layers ask; models don't know.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include "nn/cpu.h"
#include "nn/kernels.h"

namespace vesalius::nn {

/// Of products: bf16 rounds both factors and adds in fp32. With 8 or 4 bits the weights of decoder
/// blocks (Role::kDecoder) are rounded to these, and everything else runs as auto_precision() says.
/// What stands between layers stays fp32.
enum class Precision { kFp32, kBf16, kInt8, kInt4 };

/// bf16 where the CPU multiplies it faster than fp32, else fp32 (engine note: on AVX2 alone bf16 is
/// eight times slower).
Precision auto_precision();

/// Layers called on this thread while it lives run in this precision; without one, in fp32.
class PlanScope {
 public:
  explicit PlanScope(Precision precision);
  ~PlanScope();
  PlanScope(const PlanScope&) = delete;
  PlanScope& operator=(const PlanScope&) = delete;

 private:
  Precision before_;
};

Precision planned_precision();

/// Of weights of decoder blocks: 8 or 4; 0: as all others.
int64_t planned_bits();

/// Of keys and values that a decoder keeps: fp32, or bf16 beside rounded products.
at::ScalarType planned_cache_type();

/// The kernels for the planned precision on this CPU; null where plain LibTorch is to be used. bf16
/// on a CPU without it runs in fp32.
const KernelTable* planned_kernels();

/// True if kernels may take x: fp32 on the CPU, and autograd does not ask for a record.
bool fits_kernels(const at::Tensor& x);

/// Calls work(task, scratch) for every task in [0, count) on LibTorch's threads, each taking the
/// next one when it is free. `scratch` is 64-byte aligned memory of `floats` floats of that thread.
void run_tasks(int64_t count, int64_t floats, const std::function<void(int64_t, float*)>& work);

/// When a layout is kept.
enum class Keep { kFromSecondCall, kAlways };

/// A weight [out, in] laid out for kernels. The first call's layout is for that call alone, in
/// memory that goes from layer to layer: many commands make one pass, and fresh memory as large as
/// the model would cost them more than the pass. The second call's is kept, until the weight, the
/// CPU level or the precision changes; a decoder's is always, since tokens follow. The layer keeps
/// the weight itself: in training and on other devices that one is used.
class PackedWeight {
 public:
  struct Layout {
    const KernelTable* kernels = nullptr;
    at::Tensor packed, bias;
    int64_t in = 0, out = 0;
  };
  /// `weight` has [out, in], or [out, in / k / k, k, k] of a convolution over patches [k, k,
  /// channels]; `bias` [out] or nothing.
  std::shared_ptr<const Layout> get(const KernelTable& kernels, const at::Tensor& weight,
                                    const at::Tensor& bias, Keep keep = Keep::kFromSecondCall);

 private:
  struct Source {
    const KernelTable* kernels = nullptr;
    const void* data = nullptr;
    int64_t version = 0;
    bool operator==(const Source&) const = default;
  };
  std::mutex guard_;
  Source source_;  // of the last call
  std::shared_ptr<const Layout> layout_;
};

/// activation(x W^T + bias) + residual for x [rows, in] contiguous; residual [rows, out] or
/// undefined.
at::Tensor packed_product(const PackedWeight::Layout& weight, const at::Tensor& x,
                          Activation activation = Activation::kNone,
                          const at::Tensor& residual = {});
/// The same into y, contiguous memory of rows * out numbers.
void packed_product_into(const PackedWeight::Layout& weight, const at::Tensor& x,
                         Activation activation, const at::Tensor& residual, const at::Tensor& y);

/// Layer normalisation of the last dimension of x, which is fp32 and contiguous, plus the residual
/// where there is one; RMS normalisation without a bias.
at::Tensor kernel_layer_norm(const KernelTable& kernels, const at::Tensor& x,
                             const at::Tensor& weight, const at::Tensor& bias, double eps,
                             const at::Tensor& residual = {});

/// silu(gate) * up of [rows, dim] whose rows may stand apart; contiguous.
at::Tensor kernel_silu_multiply(const KernelTable& kernels, const at::Tensor& gate,
                                const at::Tensor& up);

/// Rows of x [n, dim] by number, contiguous.
at::Tensor kernel_rows(const at::Tensor& x, const at::Tensor& numbers);

}  // namespace vesalius::nn
