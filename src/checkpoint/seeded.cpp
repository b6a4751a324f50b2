#include "checkpoint/seeded.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"

namespace vesalius {
namespace {

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
constexpr int64_t kBlock = 4096;        // values that stay in the first cache
constexpr int64_t kTask = 64 * kBlock;  // values a thread makes at a time
constexpr int64_t kChunk = 32 * kTask;  // values between two writes: 32 MB

/// Each operation in a loop of its own, so that no compiler fuses a product with a sum.
void scale(std::span<float> values, float factor) {
  for (float& value : values) value *= factor;
}
void shift(std::span<float> values, float term) {
  for (float& value : values) value += term;
}

float matrix_scale(const std::vector<int64_t>& shape) {
  double fan_in = 1;
  for (size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
  return static_cast<float>(std::sqrt(3.0 / fan_in));
}

void block_values(const TensorEntry& tensor, const Seeding& seeding, int64_t begin,
                  std::span<float> out) {
  seeded_stream(tensor.name, seeding.seed, begin, out);
  if (tensor.shape.size() >= 2) {
    scale(out, matrix_scale(tensor.shape));
  } else if (tensor.name.ends_with("bias")) {
    scale(out, 0.02F);
  } else {
    scale(out, 0.1F);
    shift(out, 1.0F);
  }
  for (const Gain& gain : seeding.gains)
    if (tensor.name.ends_with(gain.suffix)) scale(out, gain.factor);
}

void check_seedable(const TensorEntry& tensor) {
  if (tensor.type != TensorType::kF32)
    fail(ErrorCode::kFailed, "{}: only float32 can be seeded, not {}.", tensor.name,
         type_name(tensor.type));
  if (tensor.values.size() > 1 && std::ssize(tensor.values) != tensor.count())
    fail(ErrorCode::kFailed, "{}: has {} values in its definition, not {}.", tensor.name,
         tensor.values.size(), tensor.count());
}

void own_values(const TensorEntry& tensor, int64_t begin, std::span<float> out) {
  if (tensor.values.size() == 1)
    std::ranges::fill(out, tensor.values[0]);
  else
    std::copy_n(tensor.values.begin() + begin, out.size(), out.begin());
}

}  // namespace

Gain parse_gain(std::string_view text) {
  const auto equals = text.rfind('=');
  const auto refuse = [&] {
    fail(ErrorCode::kUsage,
         "--gain {}: must be SUFFIX=FACTOR with a power of two, such as dw.weight=0.125.", text);
  };
  if (equals == std::string_view::npos || equals == 0) refuse();
  const auto number = text.substr(equals + 1);
  Gain gain{std::string(text.substr(0, equals)), 0};
  const auto [end, problem] =
      std::from_chars(number.data(), number.data() + number.size(), gain.factor);
  int exponent = 0;
  if (problem != std::errc() || end != number.data() + number.size() ||
      std::frexp(gain.factor, &exponent) != 0.5F || std::abs(exponent) > 64)
    refuse();
  return gain;
}

void seeded_stream(std::string_view name, uint64_t seed, int64_t begin, std::span<float> out) {
  uint64_t state = (fnv1a64(name) ^ (seed * kGolden)) + static_cast<uint64_t>(begin) * kGolden;
  for (float& value : out) {
    state += kGolden;
    uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    value = static_cast<float>(static_cast<int32_t>(z >> 40) - (1 << 23)) * 0x1p-23F;
  }
}

void seeded_values(const TensorEntry& tensor, const Seeding& seeding, int64_t begin,
                   std::span<float> out) {
  if (!tensor.values.empty()) return own_values(tensor, begin, out);
  for (size_t at = 0; at < out.size(); at += kBlock)
    block_values(tensor, seeding, begin + static_cast<int64_t>(at),
                 out.subspan(at, std::min<size_t>(kBlock, out.size() - at)));
}

void for_seeded_chunks(const TensorEntry& tensor, const Seeding& seeding,
                       const std::function<void(int64_t begin, std::span<const float>)>& body) {
  check_seedable(tensor);
  std::vector<float> buffer(static_cast<size_t>(std::min(kChunk, tensor.count())));
  for (int64_t begin = 0; begin < tensor.count(); begin += kChunk) {
    const int64_t size = std::min(kChunk, tensor.count() - begin);
    const auto values = std::span(buffer).first(static_cast<size_t>(size));
    parallel_for((size + kTask - 1) / kTask, [&](int64_t i) {
      const int64_t from = i * kTask;
      seeded_values(tensor, seeding, begin + from,
                    values.subspan(static_cast<size_t>(from),
                                   static_cast<size_t>(std::min(kTask, size - from))));
    });
    body(begin, values);
  }
}

void write_seeded(const fs::path& path, std::vector<TensorEntry> tensors, const Seeding& seeding,
                  const std::function<void(int64_t bytes)>& advance) {
  for (const TensorEntry& tensor : tensors) check_seedable(tensor);
  FileWriter writer(path);
  writer.write(make_safetensors_header(tensors));
  for (const TensorEntry& tensor : tensors)
    for_seeded_chunks(tensor, seeding, [&](int64_t, std::span<const float> values) {
      writer.write(values.data(), values.size_bytes());
      if (advance) advance(static_cast<int64_t>(values.size_bytes()));
    });
  writer.commit();
}

int64_t seeded_bytes(const std::vector<TensorEntry>& tensors) {
  int64_t values = 0;
  for (const TensorEntry& tensor : tensors) values += tensor.count();
  return 2 * int64_t{sizeof(float)} * values;
}

std::string find_unseeded(const fs::path& path, const Seeding& seeding,
                          const std::function<void(int64_t bytes)>& advance) {
  const auto file = MappedFile::open(path);
  const auto header = parse_safetensors_header(file->bytes(), path.string());
  for (const TensorEntry& tensor : header.tensors) {
    if (tensor.type != TensorType::kF32) return tensor.name;
    const uint8_t* data = file->bytes().data() + header.data_start + tensor.begin;
    bool same = true;
    for_seeded_chunks(tensor, seeding, [&](int64_t begin, std::span<const float> values) {
      same = same && std::memcmp(data + 4 * begin, values.data(), values.size_bytes()) == 0;
      if (advance) advance(static_cast<int64_t>(values.size_bytes()));
    });
    if (!same) return tensor.name;
  }
  return {};
}

}  // namespace vesalius
