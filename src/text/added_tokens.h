// The tokens that a tokenizer.json adds to its vocabulary: found in texts as a whole, before
// anything else is done.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "text/bpe.h"
#include "text/marked_text.h"
#include "text/normalizer.h"
#include "text/tokenizer_json.h"

namespace vesalius::text {

struct AddedToken {
  std::string content;
  std::string sought;  // what is looked for, and given to the decoder: normalised or as it is
  int32_t id = 0;
  bool single_word = false, lstrip = false, rstrip = false, normalized = false, special = false;
};

/// An added token, or the text between two.
struct Section {
  MarkedText text;
  const AddedToken* token = nullptr;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  /// Ids follow the file's vocabulary. Error kModel for an id that the reference library would not
  /// give: a file that has been edited by hand.
  AddedTokens(const JsonPart& list, const Vocabulary& vocabulary, const Normalizer& normalizer);

  const std::vector<AddedToken>& all() const { return tokens_; }

  /// The text cut at the tokens that are looked for before, or else after, it is normalised. None
  /// is found that touches a user's words; then the longest of the others that begins there is.
  std::vector<Section> split(const MarkedText& text, bool normalized) const;

 private:
  /// A tree of the tokens' bytes.
  struct Node {
    int32_t token = -1;
    std::map<char, int32_t> next;
  };
  struct Found {
    const AddedToken* token = nullptr;
    size_t begin = 0, end = 0;
  };
  using Tree = std::vector<Node>;

  static void grow(Tree& tree, const std::string& content, int32_t token);
  Found next(const Tree& tree, const MarkedText& text, size_t from) const;

  std::vector<AddedToken> tokens_;
  Tree raw_ = Tree(1), normalized_ = Tree(1);  // each with its root
};

}  // namespace vesalius::text
