#include "text/bpe.h"

#include <queue>

#include "base/error.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

uint64_t key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
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

// A word while it is being merged: a list of tokens linked by position.
struct Piece {
  int32_t id, previous, next;
};

struct Candidate {
  int32_t rank, at, left, right, id;
  // The lowest rank first, then the leftmost, as a scan from left to right takes them.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : at > other.at;
  }
};

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
  merges_.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    merges_.emplace(key(id_of(vocabulary, left, where), id_of(vocabulary, right, where)),
                    Merge{static_cast<int32_t>(rank), id_of(vocabulary, left + right, where)});
  }
}

const Bpe::Merge* Bpe::find(int32_t left, int32_t right) const {
  const auto found = merges_.find(key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void Bpe::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  std::vector<Piece> pieces;
  const auto count = static_cast<int32_t>(word.size());
  for (int32_t i = 0; i < count; ++i) {
    const auto byte = static_cast<uint8_t>(word[i]);
    pieces.push_back(
        {i + 1 < count ? inner_[byte] : last_[byte], i - 1, i + 1 < count ? i + 1 : -1});
  }
  std::priority_queue<Candidate> queue;
  const auto offer = [&](int32_t at) {
    if (at < 0 || pieces[at].next < 0) return;
    const int32_t left = pieces[at].id, right = pieces[pieces[at].next].id;
    if (const Merge* merge = find(left, right))
      queue.push({merge->rank, at, left, right, merge->id});
  };
  for (int32_t i = 0; i < count; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Piece& piece = pieces[best.at];
    // Either side may have been merged into something else since this was offered.
    if (piece.id != best.left || piece.next < 0 || pieces[piece.next].id != best.right) continue;
    pieces[piece.next].id = -1;
    piece.id = best.id;
    piece.next = pieces[piece.next].next;
    if (piece.next >= 0) pieces[piece.next].previous = best.at;
    offer(best.at);
    offer(piece.previous);
  }
  for (int32_t i = 0; i >= 0 && i < count; i = pieces[i].next) ids.push_back(pieces[i].id);
}

}  // namespace vesalius::text
