// A tokenizer as `tokenizer.json` describes it (Hugging Face `tokenizers`): byte-level and
// SentencePiece-style byte-pair encoding with added tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace vesalius::text {

/// Bytes [begin, end) of a text.
struct Span {
  size_t begin = 0, end = 0;
};

struct EncodeOptions {
  bool special = true;      // put what the file's post-processor adds: begin of text
  std::vector<Span> plain;  // a user's words, in order: no added token is recognised that touches
                            // one, so text cannot become a control token
};

class Tokenizer {
 public:
  /// Error kModel, naming the file, for what it holds that is not understood here.
  static Tokenizer load(const fs::path& tokenizer_json);

  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  /// The file's decoder over these ids. `skip_special` leaves out added tokens marked special.
  /// Error kModel for an id that is not in the vocabulary.
  std::string decode(std::span<const int32_t> ids, bool skip_special = true) const;
  std::optional<int32_t> id_of(std::string_view token) const;
  /// The token as the file spells it; empty for a number that no token has.
  std::string_view token(int32_t id) const;
  int32_t size() const;  // the largest id and one

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vesalius::text
