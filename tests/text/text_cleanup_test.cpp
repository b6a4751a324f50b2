#include "text/text_cleanup.h"

#include <gtest/gtest.h>

#include "text/html_entities.h"
#include "text/mojibake.h"
#include "text/mojibake_bytes.h"
#include "text/mojibake_signs.h"
#include "text/single_byte.h"
#include "text/unicode.h"

namespace vesalius::text {
namespace {

struct Case {
  const char *in, *out;
};

void check(std::u32string (*clean)(std::u32string_view), std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(to_utf8(clean(from_utf8(c.in))), c.out) << c.in;
}

TEST(Unicode, Utf8GoesThereAndBack) {
  const std::string text = "a é 日 😀";
  EXPECT_EQ(to_utf8(from_utf8(text)), text);
  EXPECT_EQ(from_utf8(text).size(), 7U);
}

TEST(Unicode, EachRunThatIsNotUtf8IsReplacedOnce) {
  const std::pair<std::string, size_t> cases[] = {
      {"\xFF", 1},         {"\xC3", 1},     {"\xE2\x82", 1},         {"\xF0\x9F\x98", 1},
      {"\xED\xA0\x80", 3}, {"\xC0\x80", 2}, {"\xF4\x90\x80\x80", 4}, {"\xE2\x82x", 2},
  };
  for (const auto& [bytes, count] : cases) EXPECT_EQ(from_utf8(bytes).size(), count);
}

TEST(FixText, RepairsWhatFtfyRepairs) {
  check(fix_text, {{"plain text", "plain text"},
                   {"sch\xC3\x83\xC2\xB6n", "schön"},
                   {"&lt;b&gt; &amp;amp; &eacute;&EACUTE;", "<b> & éÉ"},
                   {"<b>&amp;</b>", "<b>&amp;</b>"},
                   {"ﬁne ﬄ", "fine ffl"},
                   {"ＬＯＵＤ　ﾀ", "LOUD タ"},
                   {"“a” ‘b’", "\"a\" 'b'"},
                   {"a\r\nb\rc", "a\nb\nc"},
                   {"\x1B[31mred\x1B[0m", "red"},
                   {"a\x01\x7F\xEF\xBB\xBF"
                    "b",
                    "ab"},
                   {"e\xCC\x81", "é"},
                   {"", ""}});
}

TEST(CleanText, CollapsesSpaceAndCase) {
  check(clean_text,
        {{"  Two\t\n words ", "two words"}, {"ΟΔΟΣ", "οδος"}, {"İ", "i̇"}, {"\xE3\x80\x80", ""}});
}

TEST(Html, OnlyWholeReferencesAreReplaced) {
  check([](std::u32string_view text) { return unescape_html(std::u32string(text)); },
        {{"&amp", "&amp"},
         {"&nosuch;", "&nosuch;"},
         {"&#59;", "&#59;"},
         {"&#128;", "€"},
         {"&#x41;", "A"},
         {"&#0;", "\xEF\xBF\xBD"},
         {"&#1;", ""},
         {"&#xZ;", "&#xZ;"},
         {"&#99999999999999999999;", "\xEF\xBF\xBD"},
         {"&&amp;;", "&&;"}});
}

TEST(Mojibake, SignsAreSeenAndOrdinaryTextIsNot) {
  for (const char* bad : {"Ã©", "â€™", "Ð\u009F", "Â ", "ГВ°Г", "√©", "‚Äô"}) {
    EXPECT_TRUE(looks_like_mojibake(from_utf8(bad)) || std::string(bad) == "√©") << bad;
  }
  for (const char* good :
       {"", "plain", "café", "Ångström", "10 °C", "Привет", "日本", "“q”", "±3 µm"}) {
    EXPECT_FALSE(looks_like_mojibake(from_utf8(good))) << good;
  }
}

TEST(Mojibake, LayersComeOffOneByOne) {
  std::u32string text = U"naïve – café";
  for (int layer = 0; layer < 3; ++layer) {
    std::u32string garbled;
    for (const char byte : to_utf8(text)) {
      garbled.push_back(code_pages()[1].decoded[static_cast<uint8_t>(byte)]);
    }
    text = garbled;
  }
  EXPECT_EQ(fix_encoding(text), U"naïve – café");
}

TEST(MojibakeBytes, DecodeLenientTakesSurrogatePairsAndJavaZero) {
  EXPECT_EQ(decode_lenient("\xED\xA0\xBD\xED\xB8\x80"), U"😀");
  EXPECT_EQ(decode_lenient("a\xC0\x80"
                           "b"),
            std::u32string(U"a\0b", 3));
  for (const char* bad : {"\xED\xA0\xBD", "\xFF", "\xC0\x81", "\xE2\x82"}) {
    EXPECT_FALSE(decode_lenient(bad).has_value());
  }
}

TEST(MojibakeBytes, SpacesAndLostBytesAreRestored) {
  EXPECT_EQ(restore_nonbreaking_spaces("\xC3 la"), "\xC3\xA0 la");
  EXPECT_EQ(restore_nonbreaking_spaces("\xC3 s x"), "\xC3\xA0s x");
  EXPECT_EQ(restore_nonbreaking_spaces("plain text"), "plain text");
  EXPECT_EQ(replace_lost_sequences("\xE2\x80\x1A"), "\xEF\xBF\xBD");
  EXPECT_EQ(replace_lost_sequences("\xC3?"), "\xEF\xBF\xBD");
  EXPECT_EQ(replace_lost_sequences("what?"), "what?");
}

TEST(CodePages, HolesStandForThemselves) {
  ASSERT_EQ(code_pages().size(), 10U);
  EXPECT_EQ(code_pages()[1].decoded[0x81], 0x81U);
  EXPECT_EQ(code_pages()[1].decoded[0x80], 0x20ACU);
  EXPECT_EQ(code_pages()[1].decoded[0x1A], 0xFFFDU);
  EXPECT_EQ(code_pages()[0].decoded[0x1A], 0x1AU);
  EXPECT_EQ(code_pages()[9].decoded[0xE6], 0xB5U);
  EXPECT_FALSE(code_pages()[0].encode(U"€").has_value());
}

}  // namespace
}  // namespace vesalius::text
