#include "base/pickle.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/archive_files.h"

using namespace vesalius;

namespace {

using namespace std::string_literals;

const Origin kOrigin{"f.pt", ErrorCode::kModel};

std::string refuse_pickle(const std::string& body) {
  const std::string pickle = "\x80\x02" + body;
  return refusal("f.pt", [&] { Pickle(bytes_of(pickle), kOrigin); });
}

TEST(Pickle, RefusesWhatIsNoPickle) {
  const std::vector<std::pair<std::string, const char*>> cases{
      {"", "1 bytes are due, 0 are left"},
      {"N", "1 bytes are due, 0 are left"},
      {".", "empty stack"},
      {"NN.", "leaves values behind"},
      {"(N.", "leaves values behind"},
      {"0", "a mark is missing"},
      {"t", "a mark is missing"},
      {"(\x85", "empty stack"},  // not past the mark
      {"N(\x85", "empty stack"},
      {"R", "empty stack"},
      {"h\x05.", "never stored"},
      {"Nq\x05h\x04.", "never stored"},
      {"Nr\xff\xff\xff\xff.", "remembers more"},
      {"q\x01", "empty stack"},
      {"X\xff\xff\xff\xff.", "4294967295 bytes are due"},
      {"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "18446744073709551615 bytes are due"},
      {"\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "a frame of"},
      {"\x8b\xff\xff\xff\xff.", "4294967295 bytes are due"},
      {"cposix", "a name does not end"},
      {"cposix\nsystem", "a name does not end"},
      {"NN\x93.", "a global has no name"},
      {"NNa.", "no list"},
      {"N(NNe.", "no list"},
      {"NNNs.", "no dict"},
      {"}(NNNu.", "lacks its value"},
      {"}NbNb.", "state twice"},
      {"iposix\nsystem\n.", "opcode 0x69"},    // INST
      {"(cposix\nsystem\no.", "opcode 0x6f"},  // OBJ
      {"I1\n.", "opcode 0x49"},
      {"\x82\x01.", "opcode 0x82"},  // EXT1: copyreg's table
      {"\x97.", "opcode 0x97"},      // NEXT_BUFFER
      {"\x80\x06N.", "protocol is 6"},
      {"\x80\x01N.", "protocol is 1"},
      {"\xff", "opcode 0xff"},
  };
  for (const auto& [body, says] : cases) {
    const auto message = refuse_pickle(body);
    EXPECT_NE(message.find(says), std::string::npos) << body << ": " << message;
  }
}

TEST(Pickle, StacksThatRunEmptyAndMarksThatLack) {
  const std::vector<std::pair<std::string, const char*>> cases{
      {"K\x01R.", "empty stack"},
      {"b.", "empty stack"},
      {"Q.", "empty stack"},
      {"2.", "empty stack"},
      {"a.", "empty stack"},
      {"}K\x01s.", "empty stack"},
      {"K\x01s.", "empty stack"},
      {"]K\x01s.", "empty stack"},
      {"]K\x01K\x02s.", "no dict"},
      {"u.", "a mark is missing"},
      {"1.", "a mark is missing"},
      {"}(K\x01u.", "lacks its value"},
      {"(.", "empty stack"},
      {"\x87.", "empty stack"},
      {"\x93.", "empty stack"},
      {"\x94.", "empty stack"},
      {"j\xFF\xFF\xFF\xFF.", "never stored"},
      {"}r\xFF\xFF\xFF\x7F.", "remembers more"},
      {"\x8E\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "18446744073709551615 bytes are due"},
      {"G1234567", "8 bytes are due, 7 are left"},
      {"}", "1 bytes are due, 0 are left"}};
  for (const auto& [body, says] : cases) {
    const auto message = refuse_pickle(body);
    EXPECT_NE(message.find(says), std::string::npos) << body << ": " << message;
  }
  for (const std::string& bytes : {""s, "N."s, "}."s})
    EXPECT_NE(refusal("f.pt", [&] { Pickle(bytes_of(bytes), kOrigin); }).find("does not start"),
              std::string::npos);
}

TEST(Pickle, ReadsFloats) {
  const std::string pickle = "\x80\x02G\xC0\x0C\0\0\0\0\0\0."s;
  EXPECT_EQ(Pickle(bytes_of(pickle), kOrigin).top().real, -3.5);
}

TEST(Pickle, FailsWithTheCodeOfItsReader) {
  try {
    Pickle(bytes_of("N."), {"x"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  }
}

TEST(Pickle, CallsAreWrittenDownNotMade) {
  const std::string pickle =
      "\x80\x02"
      "cposix\nsystem\nX\x02\0\0\0ls\x85R}X\x01\0\0\0aK\x07sb."s;
  const Pickle read(bytes_of(pickle), kOrigin);
  EXPECT_EQ(read.top().kind, PickleKind::kCall);
  EXPECT_EQ(read.top().global(), "posix.system");
  EXPECT_EQ(read.top().items.at(1)->items.at(0)->text, "ls");
  EXPECT_EQ(read.top().state->entries.at(0).first->text, "a");
  EXPECT_EQ(read.top().state->entries.at(0).second->integer, 7);
  ASSERT_EQ(read.globals().size(), 1U);
  EXPECT_EQ(read.globals()[0]->global(), "posix.system");
}

TEST(Pickle, ReadsIntegers) {
  const std::vector<std::pair<std::string, int64_t>> cases{
      {"K\xff", 255},
      {"M\xff\xff", 65535},
      {"J\xff\xff\xff\xff", -1},
      {"\x8a\0"s, 0},
      {"\x8a\x01\xff", -1},
      {"\x8a\x02\xff\0"s, 255},
      {"\x8a\x08\0\0\0\0\0\0\0\x80"s, std::numeric_limits<int64_t>::min()},
      {"\x8b\x02\0\0\0\0\x80"s, -32768},
      {"\x88", 1},
      {"\x89", 0}};
  for (const auto& [body, value] : cases) {
    const std::string pickle = "\x80\x02" + body + ".";
    EXPECT_EQ(Pickle(bytes_of(pickle), kOrigin).top().integer, value) << value;
  }
}

TEST(Pickle, NestingCostsNoStackAndNoTime) {
  constexpr size_t kDepth = 1'000'000;
  const std::string lists =
      "\x80\x02" + std::string(kDepth, ']') + std::string(kDepth - 1, 'a') + ".";
  EXPECT_EQ(Pickle(bytes_of(lists), kOrigin).top().items.size(), 1U);
  std::string laughs = "\x80\x02]q\0000"s;  // each list holds the one before it ten times
  for (char i = 1; i < 100; ++i) {
    laughs += "](";
    for (int k = 0; k < 10; ++k) laughs += "h"s + static_cast<char>(i - 1);
    laughs += "eq"s + i + "0";
  }
  laughs += "h\x63.";
  EXPECT_EQ(Pickle(bytes_of(laughs), kOrigin).top().items.size(), 10U);
  const std::string itself = "\x80\x02]q\0h\0a."s;
  EXPECT_EQ(Pickle(bytes_of(itself), kOrigin).top().items[0]->items.size(), 1U);
}

TEST(Pickle, ItsMemoryHasACap) {
  EXPECT_NE(refuse_pickle(std::string(5'000'000, ']')).find("more than 4000000 values"),
            std::string::npos);
  EXPECT_NE(refuse_pickle(std::string(5'000'000, '(')).find("too deep"), std::string::npos);
  EXPECT_NE(refuse_pickle("]" + std::string(5'000'000, '2')).find("too deep"), std::string::npos);
  EXPECT_NE(refuse_pickle("]" + std::string(5'000'000, '\x94')).find("remembers more"),
            std::string::npos);
  EXPECT_NE(refuse_pickle(std::string(65 << 20, 'N')).find("bytes long"), std::string::npos);
}

}  // namespace
