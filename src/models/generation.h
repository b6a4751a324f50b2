// Text from a decoder, token by token: greedy or sampled, with the keys and values of a prompt's
// beginning kept for the next prompt, and with guesses from a text that it may repeat.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/decoder.h"
#include "models/kv_cache.h"
#include "models/sampler.h"

namespace vesalius::models {

/// What the decoder reads before it writes.
struct PromptInput {
  std::vector<int32_t> ids;
  at::Tensor embeds;           // [ids, hidden]
  std::vector<uint64_t> keys;  // equal where embeds are: of two prompts with the same first keys,
                               // the second need not be read from its beginning
};

/// A prompt of words alone.
PromptInput text_prompt(const Decoder& decoder, std::vector<int32_t> ids);

struct GenerateOptions {
  int64_t max_new_tokens = 256;
  std::vector<int32_t> stop;  // tokens that end the text
  Sampling sampling;
  std::vector<int32_t> lookup;               // what the text may repeat: guesses come from there
  int64_t guess = 8;                         // tokens at once at most
  bool reuse_prefix = true;                  // of the last prompt and its text
  std::vector<int32_t> force;                // score these instead of choosing
  std::function<bool(const Step&)> on_step;  // false stops
  /// Tokens of the prompt that are read, of how many; false stops.
  std::function<bool(int64_t done, int64_t total)> on_prefill;
};

enum class FinishedBy { kStopToken, kLimit, kCaller, kForced };

struct Generated {
  std::vector<int32_t> ids;  // a stop token is the last of them
  std::vector<float> log_probs;
  FinishedBy finished_by = FinishedBy::kLimit;
  int64_t prefill_computed = 0, prefill_reused = 0;  // tokens of the prompt
  int64_t guessed = 0, accepted = 0;                 // tokens from `lookup`
  int64_t passes = 0;                                // of the decoder behind the prompt
};

/// A decoder and the cache of what it read last. Not for several threads at once.
class Generation {
 public:
  explicit Generation(const Decoder& decoder);
  /// Error kUsage for an empty prompt, embeds or keys of another number, or options that make no
  /// sense; kModel for ids that are not in the vocabulary. After an error or a stop the cache is
  /// whole: the next prompt may begin as this one.
  Generated generate(const PromptInput& prompt, const GenerateOptions& options = {});
  /// Forgets the last prompt.
  void forget();

 private:
  friend class GenerationRun;

  const Decoder* decoder_;
  KvCache cache_;
  std::vector<uint64_t> keys_;  // of what the cache holds
};

}  // namespace vesalius::models
