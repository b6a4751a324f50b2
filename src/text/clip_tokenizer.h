// CLIP's byte-pair encoding with ftfy's clean-up, as Hugging Face's slow CLIPTokenizer does it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "text/bpe.h"

namespace vesalius::text {

class ClipTokenizer {
 public:
  /// Reads vocab.json and merges.txt (the published folder layout). Error kModel if they do not fit
  /// together.
  static ClipTokenizer load(const fs::path& folder);
  /// CLIP's own, from its merges.txt alone.
  static ClipTokenizer of_merges(const fs::path& merges);

  /// Token ids: begin, at most `context` - 2 tokens of the cleaned text, end. Never padded.
  std::vector<int32_t> encode(std::string_view text, int context = 77) const;

  int32_t begin() const;  // <|startoftext|>, 49406
  int32_t end() const;    // <|endoftext|>, 49407, also the padding
  int32_t vocabulary() const;

  ClipTokenizer(ClipTokenizer&&) noexcept;
  ClipTokenizer& operator=(ClipTokenizer&&) noexcept;
  ~ClipTokenizer();

 private:
  struct State;
  static ClipTokenizer make(const Vocabulary& vocabulary, const Merges& merges,
                            const fs::path& source);
  explicit ClipTokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vesalius::text
