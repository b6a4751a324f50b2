#include "text/bpe.h"

#include "base/error.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

int32_t id_of(const Vocabulary& vocabulary, const std::string& token, const std::string& where) {
  const auto found = vocabulary.find(token);
  if (found == vocabulary.end()) {
    fail(ErrorCode::kModel,
         "{}: the vocabulary has no token '{}'; vocab.json and merges.txt must belong together",
         where, token);
  }
  return found->second;
}

}  // namespace

const std::array<ByteLetter, 256>& byte_letters() {
  static const std::array<ByteLetter, 256> letters = [] {
    std::array<ByteLetter, 256> made;
    size_t count = 0;
    for (int byte = 0; byte < 256; ++byte) {
      const auto code = static_cast<char32_t>(byte);
      if (stands_for_itself(byte))
        made[count++] = {static_cast<uint8_t>(byte), to_utf8({&code, 1})};
    }
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      if (stands_for_itself(byte)) continue;
      made[count++] = {static_cast<uint8_t>(byte), to_utf8({&next, 1})};
      ++next;
    }
    return made;
  }();
  return letters;
}

Bpe::Bpe(const Vocabulary& vocabulary, const Merges& merges, const std::string& where) {
  for (const auto& [byte, letter] : byte_letters()) {
    inner_[byte] = id_of(vocabulary, letter, where);
    last_[byte] = id_of(vocabulary, letter + std::string(kEndOfWord), where);
  }
  for (const auto& [left, right] : merges) {
    merges_.add(id_of(vocabulary, left, where), id_of(vocabulary, right, where),
                id_of(vocabulary, left + right, where));
  }
}

void Bpe::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  std::vector<int32_t> merged;
  for (size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<uint8_t>(word[i]);
    merged.push_back(i + 1 < word.size() ? inner_[byte] : last_[byte]);
  }
  merges_.apply(merged);
  ids.insert(ids.end(), merged.begin(), merged.end());
}

}  // namespace vesalius::text
