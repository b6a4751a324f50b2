// Cuts a cleaned text into the words that CLIP encodes one by one.
#pragma once

#include <string_view>
#include <vector>

namespace vesalius::text {

/// The matches of CLIP's pattern, in order: the two special tokens, contractions ('s 't 're 've 'm
/// 'll 'd), runs of letters, single numbers, runs of anything else but white space. Spaces are
/// dropped.
std::vector<std::u32string_view> clip_words(std::u32string_view text);

}  // namespace vesalius::text
