// What the published tokenizer does to a text before it looks for words.
#pragma once

#include <string>
#include <string_view>

namespace vesalius::text {

/// ftfy.fix_text of ftfy 6.3 with its default settings (Robyn Speer,
/// github.com/rspeer/python-ftfy): HTML references, mojibake, ligatures, widths, quotes, line
/// breaks, terminal escapes, control characters, NFC.
std::u32string fix_text(std::u32string_view text);

/// fix_text, runs of white space as one space, none at the ends, lower case.
std::u32string clean_text(std::u32string_view text);

}  // namespace vesalius::text
