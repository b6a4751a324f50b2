// HTML character references such as &eacute; and &#233; back to the characters they stand for.
#pragma once

#include <string>

namespace vesalius::text {

/// "name=code[+code] …", see html_entity_table.cpp.
extern const char* const kHtmlEntities;

/// Replaces every reference that ends in a semicolon; also names in capitals (&EACUTE; is É). One
/// that is unknown, or that stands for a semicolon, is left as it is. The rules of ftfy 6.3's
/// unescape_html.
std::u32string unescape_html(const std::u32string& text);

}  // namespace vesalius::text
