#include "text/single_byte.h"

#include <unicode/ucnv.h>

#include <memory>

#include "base/error.h"

namespace vesalius::text {

namespace {

using Converter = std::unique_ptr<UConverter, decltype(&ucnv_close)>;

Converter open(const std::string& name) {
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(name.c_str(), &status), ucnv_close);
  if (U_FAILURE(status)) {
    fail(ErrorCode::kFailed, "ICU does not know the encoding {}; reinstall its data package", name);
  }
  return converter;
}

char32_t decode_byte(UConverter* converter, int byte) {
  const char source = static_cast<char>(byte);
  std::array<UChar, 4> target{};
  UErrorCode status = U_ZERO_ERROR;
  const int32_t length =
      ucnv_toUChars(converter, target.data(), target.size(), &source, 1, &status);
  const bool known = U_SUCCESS(status) && length == 1 && target[0] != 0xFFFD;
  return known ? target[0] : static_cast<char32_t>(byte);
}

CodePage make_page(const std::string& name, bool has_holes) {
  CodePage page;
  page.name = name;
  page.has_holes = has_holes;
  const Converter converter = open(name);
  for (int byte = 0; byte < 256; ++byte) {
    page.decoded[byte] =
        byte < 0x80 ? static_cast<char32_t>(byte) : decode_byte(converter.get(), byte);
  }
  // IBM's own table has a Greek mu here, everybody else's the micro sign.
  if (name == "ibm-437") page.decoded[0xE6] = 0xB5;
  if (has_holes) page.decoded[0x1A] = 0xFFFD;
  for (int byte = 0; byte < 256; ++byte)
    page.encoded.emplace(page.decoded[byte], static_cast<uint8_t>(byte));
  return page;
}

}  // namespace

std::optional<std::string> CodePage::encode(std::u32string_view text) const {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char32_t c : text) {
    const auto found = encoded.find(c);
    if (found == encoded.end()) return std::nullopt;
    bytes.push_back(static_cast<char>(found->second));
  }
  return bytes;
}

const std::vector<CodePage>& code_pages() {
  static const std::vector<CodePage> pages = [] {
    std::vector<CodePage> made;
    made.push_back(make_page("iso-8859-1", false));
    for (const char* windows : {"1252", "1251", "1250", "1253", "1254", "1257"}) {
      made.push_back(make_page(std::string("windows-") + windows, true));
    }
    for (const char* whole : {"iso-8859-2", "macintosh", "ibm-437"})
      made.push_back(make_page(whole, false));
    return made;
  }();
  return pages;
}

}  // namespace vesalius::text
