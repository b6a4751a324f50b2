// Every table of kernels against plain loops in double, at sizes that fill no vector, tile or
// block.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "nn/cpu.h"
#include "nn/kernels.h"

namespace vesalius::nn {
namespace {

struct Kind {
  const char* name;
  CpuLevel cpu;
  const KernelTable* table;
  double tolerance;  // of the largest value, where products are concerned
};

std::vector<Kind> kinds() {
  std::vector<Kind> all{{"avx2", CpuLevel::kAvx2, &kAvx2Kernels, 3e-6},
                        {"avx512", CpuLevel::kAvx512, &kAvx512Kernels, 3e-6},
                        {"bf16", CpuLevel::kAvx512Bf16, &kBf16Kernels, 1.5e-2}};
  std::erase_if(all, [](const Kind& kind) { return kind.cpu > cpu_level(); });
  return all;
}

class Kernels : public testing::TestWithParam<Kind> {
 protected:
  const KernelTable& table() const { return *GetParam().table; }
};
INSTANTIATE_TEST_SUITE_P(Cpu, Kernels, testing::ValuesIn(kinds()),
                         [](const auto& info) { return info.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Kernels);  // on a CPU without AVX2

using Floats = std::vector<float>;

/// Numbers between -1 and 1 that depend on a name alone.
Floats drawn(const std::string& name, int64_t count) {
  Floats values(static_cast<size_t>(count));
  uint64_t state = fnv1a64(name);
  for (float& value : values) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    value = static_cast<float>(static_cast<double>(state >> 33U) / 1073741824.0 - 1);
  }
  return values;
}

/// 64-byte aligned scratch memory with a guard behind it.
class Scratch {
 public:
  explicit Scratch(int64_t floats) : floats_(floats) {
    const auto bytes = (static_cast<size_t>(floats + kGuard) * sizeof(float) + 63) / 64 * 64;
    data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
    for (int64_t i = 0; i < kGuard; ++i) data_.get()[floats_ + i] = kMark;
  }
  float* data() { return data_.get(); }
  bool whole() const {
    for (int64_t i = 0; i < kGuard; ++i)
      if (data_.get()[floats_ + i] != kMark) return false;
    return true;
  }

 private:
  static constexpr int64_t kGuard = 64;
  static constexpr float kMark = 1234.5F;
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  int64_t floats_;
  std::unique_ptr<float[], Free> data_;
};

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double activated(double x, Activation activation) {
  if (activation == Activation::kGelu) return gelu(x);
  if (activation == Activation::kQuickGelu) return x / (1 + std::exp(-1.702 * x));
  return x;
}

void expect_close(const Floats& ours, const std::vector<double>& reference, double tolerance) {
  ASSERT_EQ(ours.size(), reference.size());
  // Sums of numbers up to 1 may cancel; what was rounded on the way does not.
  double largest = 0.3, difference = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    largest = std::max(largest, std::abs(reference[i]));
    difference = std::max(difference, std::abs(static_cast<double>(ours[i]) - reference[i]));
  }
  EXPECT_LE(difference, tolerance * largest);
}

struct Shape {
  int64_t rows, in, out;
};

struct Operands {
  Shape shape;
  Floats x, weight, bias, residual;
  explicit Operands(const Shape& s)
      : shape(s),
        x(drawn("x", s.rows * s.in)),
        weight(drawn("w", s.in * s.out)),
        bias(drawn("b", s.out)),
        residual(drawn("r", s.rows * s.out)) {}

  std::vector<double> exact(bool with_residual, Activation activation) const {
    std::vector<double> y;
    for (int64_t r = 0; r < shape.rows; ++r)
      for (int64_t o = 0; o < shape.out; ++o) {
        double sum = bias[static_cast<size_t>(o)];
        for (int64_t i = 0; i < shape.in; ++i)
          sum += static_cast<double>(x[static_cast<size_t>(r * shape.in + i)]) *
                 weight[static_cast<size_t>(o * shape.in + i)];
        y.push_back(activated(sum, activation) +
                    (with_residual ? residual[static_cast<size_t>(r * shape.out + o)] : 0));
      }
    return y;
  }
};

/// The product in blocks of `rows` by `columns`, as threads would share it.
Floats product(const KernelTable& table, const Operands& o, bool with_residual,
               Activation activation, int64_t rows, int64_t columns) {
  const auto& s = o.shape;
  const int64_t panels = (s.out + table.panel - 1) / table.panel;
  Scratch packed(table.packed_size(s.in, s.out));
  // Panel by panel, last one first: each may be packed by another thread.
  for (int64_t p = panels; p-- > 0;)
    table.pack(o.weight.data(), s.in, s.out, p, p + 1, packed.data());
  Floats bias(static_cast<size_t>(panels * table.panel), 0);
  std::copy(o.bias.begin(), o.bias.end(), bias.begin());
  Floats y(static_cast<size_t>(s.rows * s.out), -77);
  const Product p{
      o.x.data(), packed.data(), bias.data(), with_residual ? o.residual.data() : nullptr,
      y.data(),   s.rows,        s.in,        s.out,
      activation};
  for (int64_t row = 0; row < s.rows; row += rows)
    for (int64_t column = 0; column < s.out; column += columns) {
      const ProductBlock block{row, std::min(rows, s.rows - row), column,
                               std::min(columns, s.out - column)};
      Scratch scratch(table.product_scratch(s.in, block.rows, block.columns));
      table.product(p, block, scratch.data());
      EXPECT_TRUE(scratch.whole()) << "wrote behind its scratch memory";
    }
  EXPECT_TRUE(packed.whole()) << "wrote behind the packed weight";
  return y;
}

TEST_P(Kernels, ProductsOfEveryOddSize) {
  const Shape shapes[] = {{1, 1, 1},  {2, 3, 5},     {7, 17, 31},   {5, 33, 32},  {16, 1, 65},
                          {3, 64, 1}, {31, 129, 47}, {13, 1025, 3}, {1, 2049, 33}};
  for (const auto& shape : shapes) {
    SCOPED_TRACE(std::to_string(shape.rows) + " x " + std::to_string(shape.in) + " -> " +
                 std::to_string(shape.out));
    const Operands o(shape);
    for (const auto activation : {Activation::kNone, Activation::kGelu, Activation::kQuickGelu})
      for (const bool residual : {false, true})
        expect_close(product(table(), o, residual, activation, table().block_rows,
                             (shape.out + table().panel - 1) / table().panel * table().panel),
                     o.exact(residual, activation), GetParam().tolerance);
  }
}

TEST_P(Kernels, BlocksOfAProductDoNotMeet) {
  for (const int64_t in : {50, 2500}) {  // within a chunk, and in several
    const Operands o({37, in, 3 * table().panel + 7});
    const auto whole = product(table(), o, true, Activation::kGelu, 37, 4 * table().panel);
    for (const int64_t rows : {int64_t{1}, int64_t{5}, table().tile_rows, table().tile_rows + 1})
      for (const int64_t columns : {table().panel, 2 * table().panel})
        EXPECT_EQ(product(table(), o, true, Activation::kGelu, rows, columns), whole)
            << in << ": " << rows << " x " << columns;
  }
}

TEST_P(Kernels, AProductMayAddToItsOwnResult) {
  const Shape s{9, 20, 2 * table().panel};
  const Operands o(s);
  Scratch packed(table().packed_size(s.in, s.out));
  table().pack(o.weight.data(), s.in, s.out, 0, 2, packed.data());
  Floats y = o.residual;
  Scratch scratch(table().product_scratch(s.in, s.rows, s.out));
  table().product({o.x.data(), packed.data(), o.bias.data(), y.data(), y.data(), s.rows, s.in,
                   s.out, Activation::kNone},
                  {0, s.rows, 0, s.out}, scratch.data());
  expect_close(y, o.exact(true, Activation::kNone), GetParam().tolerance);
}

struct HeadCase {
  int64_t length, head_dim, stride;
  bool pad;
};

std::vector<double> softmax_attention(const HeadCase& c, const Floats& qkv, const Floats& pad_key,
                                      const Floats& pad_value, double pad_score, double scale) {
  const auto at = [&](int64_t part, int64_t row, int64_t i) {
    return static_cast<double>(qkv[static_cast<size_t>(row * c.stride + part * c.head_dim + i)]);
  };
  std::vector<double> y;
  for (int64_t row = 0; row < c.length; ++row) {
    std::vector<double> weight;
    double sum = 0;
    for (int64_t key = 0; key < c.length + (c.pad ? 1 : 0); ++key) {
      double score = 0;
      for (int64_t i = 0; i < c.head_dim; ++i)
        score +=
            at(0, row, i) *
            (key < c.length ? at(1, key, i) : static_cast<double>(pad_key[static_cast<size_t>(i)]));
      weight.push_back(std::exp(scale * score + (key < c.length ? 0 : pad_score)));
      sum += weight.back();
    }
    for (int64_t i = 0; i < c.head_dim; ++i) {
      double value = 0;
      for (int64_t key = 0; key < c.length; ++key)
        value += weight[static_cast<size_t>(key)] * at(2, key, i);
      if (c.pad) value += weight.back() * pad_value[static_cast<size_t>(i)];
      y.push_back(value / sum);
    }
  }
  return y;
}

TEST_P(Kernels, AttentionOfOneHead) {
  const HeadCase cases[] = {{1, 8, 24, false},   {3, 16, 48, true},    {17, 32, 96, false},
                            {33, 32, 100, true}, {49, 64, 192, false}, {77, 64, 200, true},
                            {145, 32, 96, true}, {5, 128, 384, false}};
  for (const auto& c : cases) {
    SCOPED_TRACE(std::to_string(c.length) + " of " + std::to_string(c.head_dim));
    const auto qkv = drawn("qkv", c.length * c.stride);
    const auto pad_key = drawn("pk", c.head_dim), pad_value = drawn("pv", c.head_dim);
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_dim)));
    const float pad_score = std::log(5.0F);  // as if it stood there five times
    Floats y(static_cast<size_t>(c.length * c.head_dim), -77);
    const AttentionHead head{qkv.data(),
                             qkv.data() + c.head_dim,
                             qkv.data() + 2 * c.head_dim,
                             c.stride,
                             c.length,
                             c.head_dim,
                             c.pad ? pad_key.data() : nullptr,
                             c.pad ? pad_value.data() : nullptr,
                             pad_score,
                             scale,
                             y.data(),
                             c.head_dim};
    Scratch scratch(table().attention_scratch(c.length, c.head_dim));
    table().attention(head, scratch.data());
    EXPECT_TRUE(scratch.whole());
    expect_close(y, softmax_attention(c, qkv, pad_key, pad_value, pad_score, scale),
                 5 * GetParam().tolerance);
  }
}

TEST_P(Kernels, AttentionBetweenThirtyTwoChannels) {
  constexpr int64_t kChannels = 32;
  for (const int64_t tokens : {1, 2, 15, 49, 200}) {
    SCOPED_TRACE(tokens);
    const int64_t stride = 3 * kChannels + 5;
    const auto qkv = drawn("channels", tokens * stride);
    const auto at = [&](int64_t part, int64_t token, int64_t c) {
      return static_cast<double>(qkv[static_cast<size_t>(token * stride + part * kChannels + c)]);
    };
    const double scale = 1 / std::sqrt(static_cast<double>(tokens));
    std::vector<double> weights(kChannels * kChannels);
    for (int64_t a = 0; a < kChannels; ++a) {
      double sum = 0;
      for (int64_t b = 0; b < kChannels; ++b) {
        double score = 0;
        for (int64_t t = 0; t < tokens; ++t) score += at(0, t, a) * scale * at(1, t, b);
        sum += weights[static_cast<size_t>(a * kChannels + b)] = std::exp(score);
      }
      for (int64_t b = 0; b < kChannels; ++b)
        weights[static_cast<size_t>(a * kChannels + b)] /= sum;
    }
    std::vector<double> reference;
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t a = 0; a < kChannels; ++a) {
        double value = 0;
        for (int64_t b = 0; b < kChannels; ++b)
          value += weights[static_cast<size_t>(a * kChannels + b)] * at(2, t, b);
        reference.push_back(value);
      }
    Floats y(static_cast<size_t>(tokens * kChannels), -77);
    Scratch scratch(table().channel_scratch);
    table().channel({qkv.data(), qkv.data() + kChannels, qkv.data() + 2 * kChannels, stride, tokens,
                     static_cast<float>(scale), y.data(), kChannels},
                    scratch.data());
    EXPECT_TRUE(scratch.whole());
    expect_close(y, reference, 5 * GetParam().tolerance);
  }
}

double exact_gelu(double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2))); }

/// The depth-wise convolution of channel `c` around one pixel, in float64.
double depthwise_at(const Depthwise& d, int64_t row, int64_t column, int64_t c) {
  double sum = d.bias[c] + (d.residual ? d.x[(row * d.width + column) * d.channels + c] : 0);
  for (int64_t tap = 0; tap < d.kernel * d.kernel; ++tap) {
    const int64_t a = row + tap / d.kernel - d.kernel / 2;
    const int64_t b = column + tap % d.kernel - d.kernel / 2;
    if (a >= 0 && b >= 0 && a < d.height && b < d.width)
      sum += static_cast<double>(d.weight[tap * d.channels + c]) *
             d.x[(a * d.width + b) * d.channels + c];
  }
  return d.gelu ? exact_gelu(sum) : sum;
}

TEST_P(Kernels, DepthwiseRowsOfEveryWidth) {
  for (const int64_t kernel : {3, 5, 7, 9})
    for (const int64_t channels : {1, 7, 16, 33, 56})
      for (const auto& [height, width] : {std::pair{1, 1}, {1, 5}, {4, 1}, {3, 14}, {11, 27}})
        for (const bool residual : {false, true}) {
          SCOPED_TRACE(std::to_string(kernel) + ": " + std::to_string(channels) + " of " +
                       std::to_string(height) + " x " + std::to_string(width));
          const auto x = drawn("map", int64_t{height} * width * channels);
          const auto weight = drawn("taps", kernel * kernel * channels);
          const auto bias = drawn("bias", channels), gates = drawn("gates", height * width * 3);
          Floats y(x.size(), -77), gated(x.size(), residual ? 2 : -77);
          const Depthwise d{.x = x.data(),
                            .weight = weight.data(),
                            .bias = bias.data(),
                            .y = y.data(),
                            .x_stride = channels,
                            .height = height,
                            .width = width,
                            .channels = channels,
                            .kernel = kernel,
                            .residual = residual,
                            .gelu = channels > 7,
                            .gate = gates.data() + 1,
                            .gate_stride = 3,
                            .gated = gated.data(),
                            .add_gated = residual};
          table().depthwise(d, height / 2, height);
          table().depthwise(d, 0, height / 2);
          std::vector<double> sums, products;
          for (int64_t at = 0; at < height * width; ++at)
            for (int64_t c = 0; c < channels; ++c) {
              sums.push_back(depthwise_at(d, at / width, at % width, c));
              products.push_back(sums.back() * d.gate[at * 3] + (residual ? 2 : 0));
            }
          expect_close(y, sums, 3e-6);
          expect_close(gated, products, 3e-6);
        }
}

TEST_P(Kernels, NormalisedRowsKeepFullPrecision) {
  for (const int64_t dim : {1, 2, 15, 16, 17, 96, 257, 1024}) {
    for (const float offset : {0.0F, 1000.0F}) {  // a large mean must not eat the variance
      SCOPED_TRACE(std::to_string(dim) + " around " + std::to_string(offset));
      Floats x = drawn("row", 3 * dim);
      for (float& value : x) value += offset;
      const auto weight = drawn("gamma", dim), bias = drawn("beta", dim);
      constexpr float kEps = 1e-5F;
      std::vector<double> reference;
      for (int64_t row = 0; row < 3; ++row) {
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < dim; ++i) mean += x[static_cast<size_t>(row * dim + i)];
        mean /= static_cast<double>(dim);
        for (int64_t i = 0; i < dim; ++i)
          variance += std::pow(x[static_cast<size_t>(row * dim + i)] - mean, 2);
        variance /= static_cast<double>(dim);
        for (int64_t i = 0; i < dim; ++i)
          reference.push_back((x[static_cast<size_t>(row * dim + i)] - mean) /
                                  std::sqrt(variance + kEps) * weight[static_cast<size_t>(i)] +
                              bias[static_cast<size_t>(i)]);
      }
      Floats y(x.size(), -77);
      for (int64_t row = 0; row < 3; ++row)
        table().normalise({x.data(), weight.data(), bias.data(), nullptr, y.data(), dim, kEps},
                          row);
      expect_close(y, reference, offset == 0 ? 3e-6 : 2e-3);
      for (int64_t row = 0; row < 3; ++row)
        table().normalise({x.data(), weight.data(), bias.data(), nullptr, x.data(), dim, kEps},
                          row);
      EXPECT_EQ(x, y) << "in place";
    }
  }
}

}  // namespace
}  // namespace vesalius::nn
