// Bytes that were nearly UTF-8: put back what was lost on the way, and decode them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vesalius::text {

/// Some program took byte A0 for a space and wrote 20. Puts A0 back where that makes likely UTF-8.
std::string restore_nonbreaking_spaces(std::string_view bytes);

/// Byte 1A (or one '?') stands where a byte was lost: such a sequence becomes U+FFFD as a whole.
std::string replace_lost_sequences(std::string_view bytes);

/// Strict UTF-8, except that pairs of encoded surrogates (CESU-8) and Java's C0 80 for zero are
/// taken too.
std::optional<std::u32string> decode_lenient(std::string_view bytes);

}  // namespace vesalius::text
