#include "models/generation.h"

#include <ATen/core/grad_mode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "nn/trace.h"

namespace vesalius::models {
namespace {

constexpr int64_t kPassTokens = 512;  // of a prompt: bounds memory, and a caller can stop between

void check(const PromptInput& prompt, const GenerateOptions& o, const Decoder& decoder) {
  const auto& c = decoder.config;
  const auto count = std::ssize(prompt.ids);
  if (count == 0)
    fail(ErrorCode::kUsage, "The prompt is empty; the model needs at least one token to go on.");
  if (prompt.embeds.dim() != 2 || prompt.embeds.size(0) != count ||
      prompt.embeds.size(1) != c.hidden || std::ssize(prompt.keys) != count)
    fail(ErrorCode::kUsage,
         "A prompt of {} tokens has embeddings [{}] and {} keys; it needs [{}, {}] and {}.", count,
         fmt::join(prompt.embeds.sizes(), ", "), prompt.keys.size(), count, c.hidden, count);
  if (o.max_new_tokens < 0 || o.guess < 0)
    fail(ErrorCode::kUsage, "{} tokens with {} guesses at once can't be written.", o.max_new_tokens,
         o.guess);
  decoder.check(o.force);
  decoder.check(o.lookup);
}

/// Where the text repeats itself: tokens of `source` behind the first place that ends as `text`
/// does.
class Guesser {
 public:
  explicit Guesser(const std::vector<int32_t>& source) : source_(source) {}

  std::vector<int32_t> operator()(const std::vector<int32_t>& text, int64_t most) const {
    const auto length = std::min<ptrdiff_t>(kContext, std::ssize(text));
    if (length == 0 || most <= 0) return {};
    const auto found = std::search(source_.begin(), source_.end(), text.end() - length, text.end());
    if (found == source_.end()) return {};
    const auto begin = found + length;
    return {begin, begin + std::min<ptrdiff_t>(most, source_.end() - begin)};
  }

 private:
  static constexpr ptrdiff_t kContext = 3;  // tokens that have to agree
  const std::vector<int32_t>& source_;
};

}  // namespace

/// One call of generate().
class GenerationRun {
 public:
  GenerationRun(Generation& session, const PromptInput& prompt, const GenerateOptions& options)
      : s_(session),
        prompt_(prompt),
        o_(options),
        sampler_(options.sampling),
        guesser_(options.lookup) {}

  Generated all() {
    const int64_t limit =
        o_.force.empty() ? o_.max_new_tokens : static_cast<int64_t>(o_.force.size());
    if (!read_prompt() || !write(limit)) return std::move(result_);
    result_.finished_by = o_.force.empty() ? FinishedBy::kLimit : FinishedBy::kForced;
    return std::move(result_);
  }

 private:
  const Decoder& decoder() const { return *s_.decoder_; }
  const nn::Rope& rope() const { return decoder().config.rope; }
  int64_t prompt_length() const { return std::ssize(prompt_.ids); }

  /// Tokens of the prompt that the cache holds as a run of this prompt alone would have made them.
  int64_t reusable() const {
    if (!o_.reuse_prefix) return 0;
    const auto [mine, theirs] = std::ranges::mismatch(prompt_.keys, s_.keys_);
    const int64_t common = std::min(mine - prompt_.keys.begin(), prompt_length() - 1);
    const int64_t held_short = s_.cache_.short_tokens();
    if (!rope().is_long(prompt_length())) return std::min(common, held_short);
    return held_short == 0 ? common : 0;
  }

  void keep(int64_t tokens) {
    s_.cache_.cut(tokens);
    s_.keys_.resize(static_cast<size_t>(tokens));
  }

  /// Reads embeddings, the cache grows by them.
  at::Tensor read(const at::Tensor& embeds, int64_t whole = 0) {
    return decoder().forward(embeds, s_.cache_, whole);
  }

  bool read_prompt() {
    const int64_t length = prompt_length(), reused = reusable();
    keep(reused);
    result_.prefill_reused = reused;
    s_.cache_.reserve(length + o_.max_new_tokens);
    at::Tensor hidden;
    for (int64_t done = reused; done < length;) {
      const int64_t count = std::min(kPassTokens, length - done);
      hidden = read(prompt_.embeds.narrow(0, done, count), length);
      s_.keys_.insert(s_.keys_.end(), prompt_.keys.begin() + done,
                      prompt_.keys.begin() + done + count);
      done += count;
      result_.prefill_computed += count;
      if (o_.on_prefill && !o_.on_prefill(done, length)) {
        result_.finished_by = FinishedBy::kCaller;
        return false;
      }
    }
    scores_ = decoder().logits(hidden.narrow(0, hidden.size(0) - 1, 1));
    nn::trace("prefill_logits", scores_);
    return true;
  }

  /// Tokens up to the limit; false if something else ended the text.
  bool write(int64_t limit) {
    guesses_.clear();
    while (true) {
      for (size_t row = 0;; ++row) {
        if (std::ssize(result_.ids) == limit) return true;
        if (!emit(sampler_(scores_[static_cast<int64_t>(row)], forced()))) return false;
        if (row == guesses_.size() || guesses_[row] != result_.ids.back()) break;
        result_.accepted += o_.force.empty();
      }
      // The cache holds guesses that did not come true.
      keep(prompt_length() + std::ssize(result_.ids) - 1);
      if (std::ssize(result_.ids) == limit) return true;
      read_last(limit - std::ssize(result_.ids) - 1);
    }
  }

  std::optional<int32_t> forced() const {
    if (o_.force.empty()) return {};
    return o_.force[result_.ids.size()];
  }

  bool emit(const Step& step) {
    result_.ids.push_back(step.id);
    result_.log_probs.push_back(step.log_prob);
    if (o_.on_step && !o_.on_step(step)) {
      result_.finished_by = FinishedBy::kCaller;
      return false;
    }
    if (!o_.force.empty() || std::ranges::find(o_.stop, step.id) == o_.stop.end()) return true;
    result_.finished_by = FinishedBy::kStopToken;
    return false;
  }

  /// The scores behind the last token, and behind guesses of what follows it.
  void read_last(int64_t most) {
    const int64_t length = s_.cache_.length() + 1;  // with the last token
    if (!rope().long_factors.empty() && !rope().is_long(length))
      most = std::min(most, rope().original_length - length);  // a pass must not cross it
    guesses_ = next(std::max<int64_t>(most, 0));
    std::vector<int32_t> ids{result_.ids.back()};
    ids.insert(ids.end(), guesses_.begin(), guesses_.end());
    if (decoder().config.read_again && rope().is_long(length) && s_.cache_.short_tokens() > 0)
      read_again();
    const auto hidden = read(decoder().embed(ids));
    for (const int32_t id : ids) s_.keys_.push_back(static_cast<uint64_t>(id));
    scores_ = decoder().logits(hidden);
    nn::trace("step_logits", scores_);
    if (o_.force.empty()) result_.guessed += std::ssize(guesses_);
    ++result_.passes;
  }

  /// What the next pass reads behind the last token: a part of the text to score, or guesses.
  std::vector<int32_t> next(int64_t most) const {
    if (o_.force.empty()) return guesser_(result_.ids, std::min(most, o_.guess));
    constexpr int64_t kScored = 64;  // logits of so many rows at once
    const auto begin = o_.force.begin() + std::ssize(result_.ids);
    return {begin, begin + std::min(most, kScored)};
  }

  void read_again() {
    const std::vector<int32_t> written(result_.ids.begin(), result_.ids.end() - 1);
    const int64_t length = s_.cache_.length();
    s_.cache_.cut(0);
    read(at::cat({prompt_.embeds, decoder().embed(written)}), length + 1);
  }

  Generation& s_;
  const PromptInput& prompt_;
  const GenerateOptions& o_;
  Sampler sampler_;
  Guesser guesser_;
  Generated result_;
  at::Tensor scores_;             // [1 + guesses, vocabulary]
  std::vector<int32_t> guesses_;  // that the cache holds behind the last token
};

PromptInput text_prompt(const Decoder& decoder, std::vector<int32_t> ids) {
  PromptInput prompt{.embeds = decoder.embed(ids)};
  for (const int32_t id : ids) prompt.keys.push_back(static_cast<uint64_t>(id));
  prompt.ids = std::move(ids);
  return prompt;
}

Generation::Generation(const Decoder& decoder) : decoder_(&decoder), cache_(decoder.cache()) {}

Generated Generation::generate(const PromptInput& prompt, const GenerateOptions& options) {
  check(prompt, options, *decoder_);
  const at::NoGradGuard no_record;
  try {
    return GenerationRun(*this, prompt, options).all();
  } catch (...) {
    if (cache_.length() != std::ssize(keys_)) forget();
    throw;
  }
}

void Generation::forget() {
  cache_.cut(0);
  keys_.clear();
}

}  // namespace vesalius::models
