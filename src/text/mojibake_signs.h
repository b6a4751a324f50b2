// Does a text look like mojibake? Sequences of characters that nobody writes on purpose.
#pragma once

#include <string_view>

namespace vesalius::text {

/// True if some two to four neighbours are far more likely the debris of a wrong decoding than
/// meant. The categories and sequences are those of the "badness" heuristic of ftfy 6.3 (Robyn
/// Speer, github.com/rspeer/python-ftfy, Apache-2.0), which the published tokenizer runs.
bool looks_like_mojibake(std::u32string_view text);

}  // namespace vesalius::text
