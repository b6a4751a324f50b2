// Repairs text whose UTF-8 was read in another encoding, the way ftfy.fix_encoding does.
#pragma once

#include <string>
#include <string_view>

namespace vesalius::text {

/// Undoes wrong decodings, one layer after the other, until the text no longer looks like mojibake.
/// Follows ftfy 6.3 (Robyn Speer, github.com/rspeer/python-ftfy) with its default settings.
std::u32string fix_encoding(std::u32string text);

/// C1 control characters as the Windows 1252 characters that browsers take them for.
std::u32string fix_c1_controls(std::u32string text);

}  // namespace vesalius::text
