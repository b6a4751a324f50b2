// Random numbers that depend on nothing but their key, so that training resumes bit by bit.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace vesalius::tasks {

/// SplitMix64 started from a key such as {seed, step, sample}: no state survives between samples.
class KeyedRandom {
 public:
  KeyedRandom(std::initializer_list<uint64_t> key) {
    for (const uint64_t part : key) state_ = mix(state_ ^ part) + 0x9E3779B97F4A7C15ULL;
  }
  uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15ULL); }
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in [0, count).
  int64_t below(int64_t count) {
    return static_cast<int64_t>(uniform() * static_cast<double>(count));
  }
  bool chance(double probability) { return uniform() < probability; }

 private:
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  uint64_t state_ = 0;
};

}  // namespace vesalius::tasks
