// Writing of tokenizer.json: SentencePiece-style byte-pair encoding as Llama 2's tokenizer has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/bpe.h"

namespace vesalius::text {

/// A token behind the vocabulary, found in texts as a whole and as it is written.
struct NewToken {
  std::string content;
  bool special = false;  // left out when decoding
};

/// The tokens that come first: unknown, begin and end of text. Then <0x00> to <0xFF>.
inline constexpr const char* kUnknownPiece = "<unk>";
inline constexpr const char* kBeginPiece = "<s>";
inline constexpr const char* kEndPiece = "</s>";

/// `pieces` by id, control tokens and bytes among them; `added` take the ids behind. Texts get the
/// sign of a space before them and the begin of text. Loads with Tokenizer and with the library
/// `tokenizers`, to the same ids.
Json tokenizer_file(const std::vector<std::string>& pieces, const Merges& merges,
                    const std::vector<NewToken>& added);

/// The same tokenizer with a vocabulary of `base_size` tokens, filled with ones that no text
/// becomes; added tokens move behind them. Error kUsage if it is larger already.
Json padded_tokenizer(Json tokenizer, int32_t base_size);

/// What MAIRA-2 adds to Llama's 32,000 tokens (its added_tokens.json), in the order of their ids:
/// <obj> </obj> <x0>…<x99> <y0>…<y99> <box> </box> <image> <prev_im> <lat_image>.
std::vector<NewToken> maira2_added_tokens();

}  // namespace vesalius::text
