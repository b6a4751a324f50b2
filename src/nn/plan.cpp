#include "nn/plan.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "nn/pages.h"

namespace vesalius::nn {
namespace {

thread_local Precision precision = Precision::kFp32;

/// Memory that grows and stays with its thread.
class Scratch {
 public:
  float* of(int64_t floats) {
    if (floats > size_) {
      size_ = (floats + 15) / 16 * 16;
      memory_.reset(static_cast<float*>(std::aligned_alloc(64, size_ * sizeof(float))));
      if (!memory_) throw std::bad_alloc();
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> memory_;
  int64_t size_ = 0;
};

thread_local Scratch scratch;

constexpr int64_t kSomeRows = 64;  // of light work in one task

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// How a product falls into blocks: rows that fill the second cache, and as many columns as leave
/// every thread several blocks.
struct Grid {
  int64_t row_parts, column_parts, panels;

  Grid(const KernelTable& kernels, int64_t rows, int64_t out)
      : row_parts(divide_up(rows, kernels.block_rows)), panels(divide_up(out, kernels.panel)) {
    constexpr int64_t kColumns = 512;
    const int64_t wanted = divide_up(int64_t{4} * at::get_num_threads(), row_parts);
    column_parts = std::min(panels, std::max(divide_up(out, kColumns), wanted));
  }
};

/// In memory of its own if it is to be kept, else in the pool's.
PackedWeight::Layout lay_out(const KernelTable& kernels, const at::Tensor& weight,
                             const at::Tensor& bias, bool keep) {
  const int64_t out = weight.size(0), in = weight.numel() / out;
  const int64_t panels = divide_up(out, kernels.panel);
  const auto rows = weight.dim() == 4 ? weight.permute({0, 2, 3, 1}) : weight;
  const auto matrix = rows.to(at::kFloat).contiguous();
  const int64_t floats = kernels.packed_size(in, out);
  PackedWeight::Layout layout{&kernels, keep ? huge_empty(floats) : pooled_empty({floats}),
                              at::zeros({panels * kernels.panel}, at::kFloat), in, out};
  if (bias.defined()) layout.bias.narrow(0, 0, out).copy_(bias);
  const auto* from = matrix.const_data_ptr<float>();
  auto* to = layout.packed.mutable_data_ptr<float>();
  run_tasks(panels, 0,
            [&](int64_t panel, float*) { kernels.pack(from, in, out, panel, panel + 1, to); });
  return layout;
}

int64_t version_of(const at::Tensor& x) {
  return x.is_inference() ? 0 : static_cast<int64_t>(x._version());
}

}  // namespace

Precision auto_precision() {
  return cpu_level() == CpuLevel::kAvx512Bf16 ? Precision::kBf16 : Precision::kFp32;
}

PlanScope::PlanScope(Precision wanted) : before_(precision) { precision = wanted; }
PlanScope::~PlanScope() { precision = before_; }
Precision planned_precision() { return precision; }

int64_t planned_bits() {
  if (precision == Precision::kInt8) return 8;
  return precision == Precision::kInt4 ? 4 : 0;
}

at::ScalarType planned_cache_type() {
  const bool exact = precision == Precision::kFp32 ||
                     (precision == Precision::kBf16 && auto_precision() != Precision::kBf16);
  return exact ? at::kFloat : at::kBFloat16;
}

const KernelTable* planned_kernels() {
#if defined(__x86_64__)
  switch (cpu_level()) {
    case CpuLevel::kGeneric:
      return nullptr;
    case CpuLevel::kAvx2:
      return &kAvx2Kernels;
    case CpuLevel::kAvx512:
      return &kAvx512Kernels;
    case CpuLevel::kAvx512Bf16:
      return precision != Precision::kFp32 ? &kBf16Kernels : &kAvx512Kernels;
  }
#endif
  return nullptr;
}

bool fits_kernels(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat &&
         !(at::GradMode::is_enabled() && x.requires_grad());
}

void run_tasks(int64_t count, int64_t floats, const std::function<void(int64_t, float*)>& work) {
  std::atomic<int64_t> next{0};
  const int64_t threads = std::min<int64_t>(count, at::get_num_threads());
  at::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    float* memory = floats > 0 ? scratch.of(floats) : nullptr;
    for (int64_t task = next++; task < count; task = next++) work(task, memory);
  });
}

std::shared_ptr<const PackedWeight::Layout> PackedWeight::get(const KernelTable& kernels,
                                                              const at::Tensor& weight,
                                                              const at::Tensor& bias, Keep keep) {
  const std::lock_guard lock(guard_);
  const Source source{&kernels, weight.const_data_ptr(),
                      version_of(weight) + (bias.defined() ? version_of(bias) : 0)};
  if (source != source_) {
    source_ = source;
    layout_.reset();
    if (keep == Keep::kFromSecondCall)
      return std::make_shared<Layout>(lay_out(kernels, weight, bias, /*keep=*/false));
  }
  if (!layout_) {
    layout_ = std::make_shared<Layout>(lay_out(kernels, weight, bias, /*keep=*/true));
    release_file_pages(weight);
  }
  return layout_;
}

at::Tensor packed_product(const PackedWeight::Layout& w, const at::Tensor& x, Activation activation,
                          const at::Tensor& residual) {
  auto y = pooled_empty({x.size(0), w.out});
  packed_product_into(w, x, activation, residual, y);
  return y;
}

void packed_product_into(const PackedWeight::Layout& w, const at::Tensor& x, Activation activation,
                         const at::Tensor& residual, const at::Tensor& y) {
  const auto& kernels = *w.kernels;
  const int64_t rows = x.size(0);
  if (rows == 0) return;
  const Product product{x.const_data_ptr<float>(),
                        w.packed.const_data_ptr<float>(),
                        w.bias.const_data_ptr<float>(),
                        residual.defined() ? residual.const_data_ptr<float>() : nullptr,
                        y.mutable_data_ptr<float>(),
                        rows,
                        w.in,
                        w.out,
                        activation};
  const Grid grid(kernels, rows, w.out);
  const auto scratch_floats =
      kernels.product_scratch(w.in, divide_up(rows, grid.row_parts),
                              divide_up(grid.panels, grid.column_parts) * kernels.panel);
  // Blocks of the same columns follow each other, so that their part of W is read once.
  run_tasks(grid.row_parts * grid.column_parts, scratch_floats, [&](int64_t task, float* memory) {
    const int64_t i = task % grid.row_parts, j = task / grid.row_parts;
    const int64_t row = rows * i / grid.row_parts, end = rows * (i + 1) / grid.row_parts;
    const int64_t column = grid.panels * j / grid.column_parts * kernels.panel;
    const int64_t last = grid.panels * (j + 1) / grid.column_parts * kernels.panel;
    kernels.product(product, {row, end - row, column, std::min(last, w.out) - column}, memory);
  });
}

at::Tensor kernel_layer_norm(const KernelTable& kernels, const at::Tensor& x,
                             const at::Tensor& weight, const at::Tensor& bias, double eps,
                             const at::Tensor& residual) {
  auto y = pooled_empty(x.sizes());
  const int64_t dim = x.size(-1), rows = dim > 0 ? x.numel() / dim : 0;
  const auto w = weight.to(at::kFloat).contiguous();
  const auto b = bias.defined() ? bias.to(at::kFloat).contiguous() : bias;
  const auto before = residual.defined() ? residual.contiguous() : residual;
  const Normalisation n{x.const_data_ptr<float>(),
                        w.const_data_ptr<float>(),
                        b.defined() ? b.const_data_ptr<float>() : nullptr,
                        before.defined() ? before.const_data_ptr<float>() : nullptr,
                        y.mutable_data_ptr<float>(),
                        dim,
                        static_cast<float>(eps)};
  run_tasks(divide_up(rows, kSomeRows), 0, [&](int64_t task, float*) {
    for (int64_t row = task * kSomeRows; row < std::min(rows, (task + 1) * kSomeRows); ++row)
      kernels.normalise(n, row);
  });
  return y;
}

at::Tensor kernel_silu_multiply(const KernelTable& kernels, const at::Tensor& gate,
                                const at::Tensor& up) {
  const int64_t rows = gate.size(0), dim = gate.size(1);
  auto y = pooled_empty({rows, dim});
  const auto *from = gate.const_data_ptr<float>(), *times = up.const_data_ptr<float>();
  auto* to = y.mutable_data_ptr<float>();
  run_tasks(rows, 0, [&](int64_t row, float*) {
    kernels.silu_multiply(from + row * gate.stride(0), times + row * up.stride(0), to + row * dim,
                          dim);
  });
  return y;
}

at::Tensor kernel_rows(const at::Tensor& x, const at::Tensor& numbers) {
  const auto from = x.contiguous(), which = numbers.contiguous();
  const int64_t dim = x.size(1), rows = which.numel();
  auto y = pooled_empty({rows, dim});
  const auto* row_of = which.const_data_ptr<int64_t>();
  const auto* in = from.const_data_ptr<float>();
  auto* out = y.mutable_data_ptr<float>();
  run_tasks(divide_up(rows, kSomeRows), 0, [&](int64_t task, float*) {
    for (int64_t row = task * kSomeRows; row < std::min(rows, (task + 1) * kSomeRows); ++row)
      std::memcpy(out + row * dim, in + row_of[row] * dim, dim * sizeof(float));
  });
  return y;
}

}  // namespace vesalius::nn
