// Seeded checkpoints: values by arithmetic on a tensor's published name, the same in every
// language.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "checkpoint/safetensors_header.h"

namespace vesalius {

/// Multiplies every tensor whose name ends in `suffix` by `factor`, a power of two.
struct Gain {
  std::string suffix;
  float factor = 1;
};

/// "dw.weight=0.125". Error kUsage for anything else, or a factor that is no power of two.
Gain parse_gain(std::string_view text);

struct Seeding {
  uint64_t seed = 7;
  std::vector<Gain> gains;
};

/// Elements begin, begin + 1, … of a tensor's stream before any scale: exact, in [-1, 1).
void seeded_stream(std::string_view name, uint64_t seed, int64_t begin, std::span<float> out);

/// Elements begin, begin + 1, … of the tensor itself (row-major): matrices scaled by
/// sqrt(3 / fan_in), biases by 0.02, everything else 1 + 0.1 v; then the gains. A tensor with
/// values of its own (`TensorEntry::values`) has those.
void seeded_values(const TensorEntry& tensor, const Seeding& seeding, int64_t begin,
                   std::span<float> out);

/// Calls body(begin, values) for the chunks of a tensor in their order, each made by all cores.
/// Error kFailed for a tensor that is not float32, or whose own values are of another number.
void for_seeded_chunks(const TensorEntry& tensor, const Seeding& seeding,
                       const std::function<void(int64_t begin, std::span<const float>)>& body);

/// Writes a safetensors file of seeded float32 values with these names and shapes. `advance` hears
/// of the bytes written and may throw to stop. Error kFailed when the disk is full: nothing is
/// left.
void write_seeded(const fs::path& path, std::vector<TensorEntry> tensors, const Seeding& seeding,
                  const std::function<void(int64_t bytes)>& advance = {});

/// Bytes that writing such a file and hashing it are, but for the header.
int64_t seeded_bytes(const std::vector<TensorEntry>& tensors);

/// Name of the first tensor of a float32 safetensors file that is not as seeded, or nothing.
std::string find_unseeded(const fs::path& path, const Seeding& seeding,
                          const std::function<void(int64_t bytes)>& advance = {});

}  // namespace vesalius
