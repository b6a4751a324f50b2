#include "nn/quantised.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "nn/pages.h"
#include "nn/plan.h"
#include "nn/quantised_layout.h"

namespace vesalius::nn {
namespace {

constexpr int64_t kFewRows = 16;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

const uint8_t* bytes(const QuantisedWeight::Layout& w) {
  return reinterpret_cast<const uint8_t*>(w.data.const_data_ptr<float>());
}

/// Where panel `number` begins.
int64_t panel_at(const QuantisedWeight::Layout& w, int64_t number) {
  return number * w.groups * quant_block_bytes(w.bits);
}

/// The same arithmetic without vectors, for a CPU of another kind.
void plain_product(const QuantProduct& p, int64_t first, int64_t last) {
  const int64_t width = p.groups * kQuantGroup;
  std::vector<float> weight(static_cast<size_t>(kQuantPanel * width));
  for (int64_t panel = first; panel < last; ++panel) {
    dequantise_panel(p.weight + panel * p.groups * quant_block_bytes(p.bits), width, p.bits,
                     weight.data());
    for (int64_t row = 0; row < p.rows; ++row) {
      float sums[kQuantPanel] = {};
      for (int64_t column = 0; column < kQuantPanel; ++column)
        for (int64_t k = 0; k < width; ++k)
          sums[column] += weight[static_cast<size_t>(column * width + k)] *
                          p.x_groups[row * p.groups + k / kQuantGroup].scale *
                          static_cast<float>(p.x[row * width + k]);
      finish_quantised(p, panel, row, sums);
    }
  }
}

const QuantKernels kPlain{plain_product, quantise_row, quantise_panel, dequantise_panel};

const QuantKernels& quant_kernels() {
  const auto* kernels = planned_kernels();
  return kernels != nullptr ? kernels->quantised : kPlain;
}

std::shared_ptr<const QuantisedWeight::Layout> lay_out(const at::Tensor& weight, int64_t bits) {
  const int64_t out = weight.size(0), in = weight.size(1), panels = divide_up(out, kQuantPanel);
  QuantisedWeight::Layout layout{{}, bits, in, out, divide_up(in, kQuantGroup)};
  layout.data = huge_empty(panel_at(layout, panels) / static_cast<int64_t>(sizeof(float)));
  auto* to = reinterpret_cast<uint8_t*>(layout.data.mutable_data_ptr<float>());
  const auto& kernels = quant_kernels();
  run_tasks(panels, 0, [&](int64_t panel, float*) {
    const int64_t first = panel * kQuantPanel, rows = std::min(kQuantPanel, out - first);
    const auto part = weight.narrow(0, first, rows).to(at::kFloat).contiguous();
    kernels.quantise_panel(part.const_data_ptr<float>(), in, rows, bits,
                           to + panel_at(layout, panel));
  });
  release_file_pages(weight);
  return std::make_shared<const QuantisedWeight::Layout>(std::move(layout));
}

/// Rows of x in 8 bits.
struct Rounded {
  std::vector<int8_t> numbers;
  std::vector<QuantGroup> groups;

  Rounded(const QuantKernels& kernels, const at::Tensor& x, int64_t count)
      : numbers(static_cast<size_t>(x.size(0) * count * kQuantGroup)),
        groups(static_cast<size_t>(x.size(0) * count)) {
    const float* from = x.const_data_ptr<float>();
    for (int64_t i = 0; i < x.size(0); ++i)
      kernels.quantise_row(from + i * x.size(1), x.size(1),
                           numbers.data() + i * count * kQuantGroup, groups.data() + i * count);
  }
};

at::Tensor few_rows(const QuantisedWeight::Layout& w, const at::Tensor& x, const at::Tensor& bias,
                    const at::Tensor& residual) {
  const auto& kernels = quant_kernels();
  const Rounded rounded(kernels, x, w.groups);
  auto y = pooled_empty({x.size(0), w.out});
  const auto data = [](const at::Tensor& t) {
    return t.defined() ? t.const_data_ptr<float>() : nullptr;
  };
  const QuantProduct p{.weight = bytes(w),
                       .bits = w.bits,
                       .groups = w.groups,
                       .x = rounded.numbers.data(),
                       .x_groups = rounded.groups.data(),
                       .bias = data(bias),
                       .residual = data(residual),
                       .y = y.mutable_data_ptr<float>(),
                       .rows = x.size(0),
                       .out = w.out};
  const int64_t panels = divide_up(w.out, kQuantPanel);
  const int64_t parts = std::min<int64_t>(panels, 8 * at::get_num_threads());
  run_tasks(parts, 0, [&](int64_t part, float*) {
    kernels.product(p, panels * part / parts, panels * (part + 1) / parts);
  });
  return y;
}

/// Panels as the planned kernels want them, in memory that goes from layer to layer.
PackedWeight::Layout written_out(const QuantisedWeight::Layout& w, const KernelTable& kernels,
                                 const at::Tensor& bias) {
  const int64_t panels = divide_up(w.out, kQuantPanel),
                size = kernels.packed_size(w.in, kQuantPanel);
  PackedWeight::Layout layout{&kernels, pooled_empty({panels * size}),
                              at::zeros({panels * kQuantPanel}, at::kFloat), w.in, w.out};
  if (bias.defined()) layout.bias.narrow(0, 0, w.out).copy_(bias);
  auto* to = layout.packed.mutable_data_ptr<float>();
  run_tasks(panels, kQuantPanel * w.in, [&](int64_t panel, float* rows) {
    kernels.quantised.dequantise_panel(bytes(w) + panel_at(w, panel), w.in, w.bits, rows);
    kernels.pack(rows, w.in, kQuantPanel, 0, kQuantPanel / kernels.panel, to + panel * size);
  });
  return layout;
}

}  // namespace

std::shared_ptr<const QuantisedWeight::Layout> QuantisedWeight::get(const at::Tensor& weight,
                                                                    int64_t bits) {
  const std::lock_guard lock(guard_);
  const int64_t version = weight.is_inference() ? 0 : static_cast<int64_t>(weight._version());
  const bool same =
      layout_ && layout_->bits == bits && data_ == weight.const_data_ptr() && version_ == version;
  if (!same) {
    layout_.reset();
    layout_ = lay_out(weight, bits);
    data_ = weight.const_data_ptr();
    version_ = version;
  }
  return layout_;
}

at::Tensor quantised_product(const QuantisedWeight::Layout& w, const at::Tensor& x,
                             const at::Tensor& bias, const at::Tensor& residual) {
  if (x.size(0) <= kFewRows) return few_rows(w, x, bias, residual);
  if (const auto* kernels = planned_kernels())
    return packed_product(written_out(w, *kernels, bias), x, Activation::kNone, residual);
  const auto y = at::linear(x, dequantised(w), bias);
  return residual.defined() ? y + residual : y;
}

at::Tensor dequantised(const QuantisedWeight::Layout& w) {
  const int64_t panels = divide_up(w.out, kQuantPanel);
  auto rows = at::empty({panels * kQuantPanel, w.in}, at::kFloat);
  auto* to = rows.mutable_data_ptr<float>();
  run_tasks(panels, 0, [&](int64_t panel, float*) {
    quant_kernels().dequantise_panel(bytes(w) + panel_at(w, panel), w.in, w.bits,
                                     to + panel * kQuantPanel * w.in);
  });
  return rows.narrow(0, 0, w.out);
}

}  // namespace vesalius::nn
