#include "checkpoint/seeded.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <numeric>

#include "base/error.h"
#include "checkpoint/safetensors.h"

using namespace vesalius;

namespace {

/// The published test vectors, seed 7: first four, last, sum in float64.
struct Vector {
  TensorEntry tensor;
  std::vector<double> first;
  double last, sum;
};

TensorEntry entry(const std::string& name, std::vector<int64_t> shape) {
  return {name, TensorType::kF32, std::move(shape), 0, 0};
}

const std::vector<Vector> kVectors{
    {entry("image_encoder.convs.0.proj.weight", {256, 3, 7, 7}),
     {-0.05349195376038551, 0.12416914850473404, -0.13825254142284393, -0.05944199487566948},
     -0.04097758233547211,
     14.018878423568822},
    {entry("image_encoder.convs.0.proj.bias", {256}),
     {0.012218787334859371, 0.006230857223272324, -0.008557721972465515, 0.01987389288842678},
     0.01863964833319187,
     0.174850911815156},
    {entry("lang_encoder.ln_final.weight", {1024}),
     {0.9344051480293274, 0.9436504244804382, 1.0782201290130615, 1.098343849182129},
     0.9364882707595825,
     1024.3339005112648},
    {entry("logit_scale", {}), {1.0695350170135498}, 1.0695350170135498, 1.0695350170135498},
    {entry("lang_encoder.token_embedding.weight", {49408, 1024}),
     {-0.021429071202874184, 0.030230700969696045, 0.03973992168903351, 0.03994167968630791},
     -0.01093255914747715,
     439.5776086220702},
};

std::vector<float> values(const TensorEntry& tensor, const Seeding& seeding = {}) {
  std::vector<float> out(static_cast<size_t>(tensor.count()));
  seeded_values(tensor, seeding, 0, out);
  return out;
}

TEST(Seeded, GivesThePublishedVectors) {
  for (const Vector& v : kVectors) {
    const auto out = values(v.tensor);
    for (size_t i = 0; i < v.first.size(); ++i)
      EXPECT_EQ(out[i], static_cast<float>(v.first[i])) << v.tensor.name << " " << i;
    EXPECT_EQ(out.back(), static_cast<float>(v.last)) << v.tensor.name;
    const double sum = std::accumulate(out.begin(), out.end(), 0.0);
    EXPECT_NEAR(sum, v.sum, 1e-7) << v.tensor.name;
  }
}

TEST(Seeded, AnyPieceIsThatPieceOfTheWhole) {
  const auto tensor = entry("image_encoder.blocks.2.8.ffn.fc1.weight", {100, 333});
  const auto whole = values(tensor);
  for (const auto& [begin, size] :
       {std::pair{0, 1}, {1, 4096}, {4095, 2}, {33299, 1}, {77, 20000}}) {
    std::vector<float> piece(static_cast<size_t>(size));
    seeded_values(tensor, {}, begin, piece);
    EXPECT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + begin)) << begin;
  }
}

TEST(Seeded, SeedAndNameChangeEveryValue) {
  const auto a = values(entry("a.weight", {64, 64}));
  EXPECT_NE(a, values(entry("b.weight", {64, 64})));
  EXPECT_NE(a, values(entry("a.weight", {64, 64}), {.seed = 8, .gains = {}}));
  EXPECT_EQ(a, values(entry("a.weight", {64, 64}), {.seed = 7, .gains = {}}));
}

TEST(Seeded, GainMultipliesByTheEndOfTheName) {
  const Seeding gained{.seed = 7, .gains = {{"dw.weight", 0.125F}, {".bias", 4.F}}};
  const auto check = [&](const TensorEntry& tensor, float factor) {
    const auto plain = values(tensor), with = values(tensor, gained);
    for (size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(with[i], plain[i] * factor) << tensor.name;
  };
  check(entry("x.conv1.fn.dw.weight", {8, 1, 3, 3}), 0.125F);
  check(entry("x.conv1.fn.dw.bias", {8}), 4.F);
  check(entry("x.norm.weight", {8}), 1.F);
  check(entry("x.dw.weight.other", {8}), 1.F);
}

TEST(Seeded, GainsThatMeetOneNameMultiply) {
  const auto tensor = entry("x.dw.weight", {4, 9});
  const auto plain = values(tensor);
  const auto with = values(tensor, {.seed = 7, .gains = {{"weight", 0.5F}, {"dw.weight", 8.F}}});
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(with[i], plain[i] * 4) << i;
}

TEST(Seeded, StreamsAreEvenAndUnrelated) {
  constexpr int64_t kCount = 100'000;
  std::vector<float> a(kCount), b(kCount);
  seeded_stream("a.weight", 7, 0, a);
  seeded_stream("a.weighu", 7, 0, b);
  double mean = 0, square = 0, product = 0, next = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_GE(a[i], -1);
    ASSERT_LT(a[i], 1);
    mean += a[i] / kCount;
    square += a[i] * a[i] / kCount;
    product += a[i] * b[i] / kCount;
    next += a[i] * a[(i + 1) % a.size()] / kCount;
  }
  EXPECT_NEAR(mean, 0, 0.01);  // five standard deviations each
  EXPECT_NEAR(square, 1. / 3, 0.005);
  EXPECT_NEAR(product, 0, 0.005);
  EXPECT_NEAR(next, 0, 0.005);
}

TEST(Seeded, MatricesKeepTheSizeOfTheirInput) {
  for (const auto& shape : {std::vector<int64_t>{400, 25}, {100, 4, 5, 5}, {1000, 1, 3, 3}}) {
    const auto out = values(entry("x.weight", shape));
    const double square = std::inner_product(out.begin(), out.end(), out.begin(), 0.);
    const double fan_in = static_cast<double>(out.size()) / static_cast<double>(shape[0]);
    EXPECT_NEAR(square / static_cast<double>(out.size()), 1 / fan_in, 0.05 / fan_in);
  }
}

TEST(Seeded, EmptyTensorsAreTensors) {
  const auto path = fs::temp_directory_path() / ("vesalius-empty-" + std::to_string(::getpid()));
  write_seeded(path, {entry("none.weight", {0, 5}), entry("one.bias", {1})}, {});
  const auto read = read_safetensors(path);
  EXPECT_EQ(read.at("none.weight").sizes(), (std::vector<int64_t>{0, 5}));
  EXPECT_EQ(read.at("one.bias").item<float>(), values(entry("one.bias", {1}))[0]);
  EXPECT_EQ(find_unseeded(path, {}), "");
  fs::remove(path);
}

TEST(Seeded, ValuesOfTheDefinitionAreKept) {
  const auto path = fs::temp_directory_path() / ("vesalius-own-" + std::to_string(::getpid()));
  auto mean = entry("pixel_mean", {1, 3}), ones = entry("ones.weight", {2, 2});
  mean.values = {114.495F, 1.5F, -2.F};
  ones.values = {1.F};
  write_seeded(path, {mean, ones, entry("a.bias", {3})},
               {.seed = 7, .gains = {{"ones.weight", 4}}});
  const auto read = read_safetensors(path);
  EXPECT_TRUE(at::equal(read.at("pixel_mean"), at::tensor({114.495F, 1.5F, -2.F}).view({1, 3})));
  EXPECT_TRUE(at::equal(read.at("ones.weight"), at::ones({2, 2})));
  EXPECT_EQ(read.at("a.bias")[0].item<float>(), values(entry("a.bias", {3}))[0]);
  mean.values.pop_back();
  EXPECT_THROW(write_seeded(path, {mean}, {}), Error);
  fs::remove(path);
}

TEST(Seeded, ParsesGains) {
  const Gain gain = parse_gain("dw.weight=0.125");
  EXPECT_EQ(gain.suffix, "dw.weight");
  EXPECT_EQ(gain.factor, 0.125F);
  EXPECT_EQ(parse_gain("x=4").factor, 4.F);
  for (const char* bad : {"", "=", "x", "x=", "=2", "x=3", "x=0", "x=-2", "x=nan", "x=inf", "x=2y",
                          "x=0.1", "x= 2", "x=1e39"}) {
    try {
      parse_gain(bad);
      ADD_FAILURE() << "'" << bad << "' was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << bad;
    }
  }
}

class SeededFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("vesalius-seeded-" + std::to_string(::getpid()));
    path_ = folder_ / "weights.pt";
    write_seeded(path_, tensors_, seeding_, [&](int64_t bytes) { told_ += bytes; });
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_, path_;
  std::vector<TensorEntry> tensors_{entry("big.weight", {3000, 3001}), entry("norm.weight", {5}),
                                    entry("a.bias", {3}), entry("scale", {})};
  Seeding seeding_{.seed = 11, .gains = {{"norm.weight", 2.F}}};
  int64_t told_ = 0;
};

TEST_F(SeededFile, HoldsEveryTensor) {
  const auto read = read_safetensors(path_);
  ASSERT_EQ(read.size(), 4U);
  EXPECT_EQ(told_, 4 * (3000 * 3001 + 5 + 3 + 1));
  for (const auto& tensor : tensors_) {
    const auto expected = values(tensor, seeding_);
    const auto& got = read.at(tensor.name);
    EXPECT_EQ(got.sizes().vec(), tensor.shape);
    EXPECT_EQ(0, std::memcmp(got.const_data_ptr(), expected.data(), got.nbytes())) << tensor.name;
  }
}

TEST_F(SeededFile, OneFlippedBitIsFound) {
  EXPECT_EQ(find_unseeded(path_, seeding_), "");
  EXPECT_EQ(find_unseeded(path_, {.seed = 11, .gains = {}}), "norm.weight");
  EXPECT_EQ(find_unseeded(path_, {.seed = 12, .gains = seeding_.gains}), "a.bias");
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(20'000'000);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(20'000'000);
  file.put(byte);
  file.close();
  EXPECT_EQ(find_unseeded(path_, seeding_), "big.weight");
}

TEST_F(SeededFile, StoppingLeavesTheOldFile) {
  const auto size = fs::file_size(path_);
  const auto stop = [](int64_t) { throw Error(ErrorCode::kFailed, "stopped"); };
  EXPECT_THROW(write_seeded(path_, {entry("x.weight", {10, 10})}, {}, stop), Error);
  EXPECT_EQ(fs::file_size(path_), size);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(SeededFile, OnlyFloat32) {
  auto half = entry("x.weight", {10, 10});
  half.type = TensorType::kF16;
  EXPECT_THROW(write_seeded(path_, {half}, {}), Error);
}

}  // namespace
