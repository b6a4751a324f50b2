#include "results/bitmap_font.h"

#include <algorithm>
#include <array>

#include "text/unicode.h"

namespace vesalius::results {
namespace {
constexpr int kRows = 9, kColumns = 5, kChannels = 3;

// From ' ' to '~': nine rows from the top, each a digit to the base of 32 whose bits are the
// pixels from the left; the last two rows are below the line.
constexpr std::array<std::string_view, 95> kGlyphs = {
    "000000000", "444440400", "aa0000000", "aavavaa00", "4fke5u400", "op248j300", "cik8lid00",
    "440000000", "248884200", "842224800", "04lel4000", "044v44000", "000004480", "000e00000",
    "00000cc00", "11248gg00", "ehjlphe00", "4c4444e00", "eh1248v00", "v2421he00", "26aiv2200",
    "vgu11he00", "68guhhe00", "v12488800", "ehhehhe00", "ehhf12c00", "0cc0cc000", "0cc0c4800",
    "248g84200", "00v0v0000", "842124800", "eh1240400", "eh1dlle00", "4ahhvhh00", "uhhuhhu00",
    "ehggghe00", "sihhhis00", "vgguggv00", "vgguggg00", "ehgnhhf00", "hhhvhhh00", "e44444e00",
    "72222ic00", "hikokih00", "ggggggv00", "hrllhhh00", "hhpljhh00", "ehhhhhe00", "uhhuggg00",
    "ehhhlid00", "uhhukih00", "fgge11u00", "v44444400", "hhhhhhe00", "hhhhha400", "hhhllla00",
    "hha4ahh00", "hhha44400", "v1248gv00", "e88888e00", "gg8421100", "e22222e00", "4ah000000",
    "0000000v0", "840000000", "00e1fhf00", "ggmphhu00", "00egghe00", "11djhhf00", "00ehvge00",
    "698s88800", "00fhhhf1e", "ggmphhh00", "40c444e00", "2062222ic", "ggikoki00", "c44444e00",
    "00qllhh00", "00mphhh00", "00ehhhe00", "00uhhhugg", "00fhhhf11", "00mpggg00", "00ege1u00",
    "88s889600", "00hhhjd00", "00hhha400", "00hhlla00", "00ha4ah00", "00hhhhf1e", "00v248v00",
    "244844200", "444444400", "844244800", "008l20000"};

/// U+00C0 to U+00FF without what stands above or below the letter.
constexpr std::string_view kLatin =
    "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty";

int digit_of(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

char plain(char32_t code) {
  if (code >= U' ' && code <= U'~') return static_cast<char>(code);
  if (code == U'\t' || code == U'\n' || code == U'\r' || code == 0xA0) return ' ';
  if (code >= 0xC0 && code <= 0xFF) return kLatin[code - 0xC0];
  if (code >= 0x2010 && code <= 0x2015) return '-';
  if (code >= 0x2018 && code <= 0x201B) return '\'';
  if (code >= 0x201C && code <= 0x201F) return '"';
  return '?';
}

void draw_glyph(media::Image& image, char c, int x, int y, int scale, Colour colour) {
  if (c < ' ' || c > '~') return;
  const std::string_view glyph = kGlyphs[static_cast<size_t>(c - ' ')];
  for (int row = 0; row < kRows; ++row) {
    const int bits = digit_of(glyph[static_cast<size_t>(row)]);
    for (int column = 0; column < kColumns; ++column) {
      if ((bits >> (kColumns - 1 - column) & 1) == 0) continue;
      fill_rectangle(image, x + column * scale, y + row * scale, scale, scale, colour);
    }
  }
}
}  // namespace

std::string drawable(std::string_view text) {
  std::string out;
  for (const char32_t code : text::nfc(text::from_utf8(text))) out += plain(code);
  return out;
}

void fill_rectangle(media::Image& image, int x, int y, int width, int height, Colour colour) {
  const int right = std::min(x + width, image.width), bottom = std::min(y + height, image.height);
  for (int row = std::max(y, 0); row < bottom; ++row) {
    for (int column = std::max(x, 0); column < right; ++column) {
      const size_t at = (static_cast<size_t>(row) * image.width + column) * kChannels;
      std::copy(colour.begin(), colour.end(), image.data.begin() + static_cast<int64_t>(at));
    }
  }
}

void draw_text(media::Image& image, std::string_view text, int x, int y, int scale, Colour colour) {
  for (const char c : text) {
    draw_glyph(image, c, x, y, scale, colour);
    x += kCellWidth * scale;
  }
}

std::vector<std::string> wrapped(std::string_view text, size_t columns) {
  columns = std::max<size_t>(columns, 1);
  std::vector<std::string> lines;
  while (text.size() > columns) {
    const size_t space = text.rfind(' ', columns);
    const bool between = space != std::string_view::npos && space > 0;
    lines.emplace_back(text.substr(0, between ? space : columns));
    text.remove_prefix(between ? space + 1 : columns);
  }
  lines.emplace_back(text);
  return lines;
}

}  // namespace vesalius::results
