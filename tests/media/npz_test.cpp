#include "media/npz.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vesalius::media {
namespace {

using std::string_literals::operator""s;

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// Why the pickle with this body is not read.
std::string refusal(const std::string& body) {
  try {
    parse_pickled_dict(bytes_of("\x80\x04" + body), "x");
    return "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.what();
  }
}

TEST(PickledDict, ReadsInOrder) {
  // pickle.dumps({"a": 1, 2: "b", "c": -3.5, "d": -2**40, "e": True}, 4), by hand
  const std::string pickle =
      "\x80\x04}(\x8C\x01"
      "aK\x01K\x02\x8C\x01"
      "b\x8C\x01"
      "cG\xC0\x0C\0\0\0\0\0\0"
      "\x8C\x01"
      "d\x8A\x06\0\0\0\0\0\xFF\x8C\x01"
      "e\x88u."s;
  const PickledDict dict = parse_pickled_dict(bytes_of(pickle), "x");
  ASSERT_EQ(dict.size(), 5U);
  EXPECT_EQ(dict[0], (std::pair<PickledScalar, PickledScalar>("a"s, int64_t{1})));
  EXPECT_EQ(dict[1], (std::pair<PickledScalar, PickledScalar>(int64_t{2}, "b"s)));
  EXPECT_EQ(dict[2], (std::pair<PickledScalar, PickledScalar>("c"s, -3.5)));
  EXPECT_EQ(dict[3], (std::pair<PickledScalar, PickledScalar>("d"s, -(int64_t{1} << 40))));
  EXPECT_EQ(dict[4], (std::pair<PickledScalar, PickledScalar>("e"s, int64_t{1})));
}

TEST(PickledDict, FunctionsAreRefusedByName) {
  EXPECT_NE(refusal("cos\nsystem\n.").find("os.system"), std::string::npos);
  EXPECT_NE(refusal("\x8C\x05posix\x8C\x06system\x93.").find("posix.system"), std::string::npos);
  EXPECT_NE(refusal("cnumpy\nload\n.").find("numpy.load"), std::string::npos);
  EXPECT_NE(refusal("cos\nsystem\n0}.").find("os.system"), std::string::npos);  // dropped again
}

/// A dictionary of one NumPy scalar, of this type with this state and of these bytes.
std::string with_scalar(const std::string& type, const std::string& state,
                        const std::string& bytes) {
  return "}K\x01"
         "cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\n\x8C"s +
         static_cast<char>(type.size()) + type + "\x85R" + state + "bC" +
         static_cast<char>(bytes.size()) + bytes + "tRs.";
}

TEST(PickledDict, OnlyWordsAndNumbersInOneDictionary) {
  const std::string array = "cnumpy.core.multiarray\n_reconstruct\n)R";
  const std::vector<std::pair<std::string, const char*>> cases{
      {"K\x01.", "something else"},
      {"].", "something else"},
      {"\x8A\x09"
       "123456789.",
       "something else"},
      {"}K\x01Ns.", "more than words and numbers"},
      {"}K\x01NQs.", "more than words and numbers"},
      {"}K\x01\x8A\x09"
       "123456789s.",
       "more than words and numbers"},
      {array + ".", "lacks its elements"},
      {array + "Nb.", "lacks its elements"},
      {array + "(NNNNNtb.", "lacks its elements"},
      {array + "(NNNN]tb.", "something else"},
      {array + "(NNNN](}}etb.", "something else"},
      {array + "\x94(NNNN]h\0atb."s, "something else"},  // holds itself
      {"}K\x01"
       "cnumpy._core.multiarray\nscalar\nNRs.",
       "lacks its type or bytes"},
      {"}K\x01"
       "cnumpy._core.multiarray\nscalar\nNN\x86Rs.",
       "lacks its type or bytes"},
      {"}K\x01"
       "cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n)RC\0\x86Rs."s,
       "unusual way"},
      {with_scalar("i4", "N", "12345678"), "a type that is not read"},
      {with_scalar("i8", "N", ""), "a type that is not read"},
      {with_scalar("f2", "N", "12"), "a type that is not read"},
      {with_scalar("c8", "N", "12345678"), "a type that is not read"},
      {with_scalar("i2", "(K\x03\x8C\x01>t", "12"), "big-endian"},
      {"", "the pickle in it is not one"},  // as base/pickle_test.cpp has more
  };
  for (const auto& [body, says] : cases)
    EXPECT_NE(refusal(body).find(says), std::string::npos) << body << ": " << refusal(body);
}

TEST(PickledDict, ScalarsOfNumpy) {
  const auto value = [](const std::string& type, const std::string& bytes) {
    const std::string pickle = "\x80\x04" + with_scalar(type, "(K\x03\x8C\x01<t", bytes);
    return parse_pickled_dict(bytes_of(pickle), "x").at(0).second;
  };
  EXPECT_EQ(value("i1", "\xFE"), PickledScalar(int64_t{-2}));
  EXPECT_EQ(value("u2", "\xFE\xFF"), PickledScalar(int64_t{65534}));
  EXPECT_EQ(value("b1", "\x01"), PickledScalar(int64_t{1}));
  EXPECT_EQ(value("f4", "\0\0\x20\xC0"s), PickledScalar(-2.5));
  EXPECT_EQ(value("f8", "\0\0\0\0\0\0\xF8\x3F"s), PickledScalar(1.5));
}

TEST(PickledDict, ObjectsMayHoldThemselves) {
  // A list that is its own member, and a dictionary whose value is itself.
  EXPECT_NE(refusal("]\x94h\x00"
                    "a."s),
            "it was read");
  EXPECT_NE(refusal("}\x94K\x01h\x00s."s), "it was read");
}

TEST(PickledDict, OneTextRepeatedIsNotSpreadOut) {
  std::string pickle = "X"s + "\0\0\x04\0"s + std::string(1 << 18, 'a') +
                       "\x94"
                       "0}(";
  for (int i = 0; i < 100000; ++i) pickle += "K\x01h\x00"s;
  EXPECT_NE(refusal(pickle + "u.").find("repeats a text"), std::string::npos);
}

TEST(PickledDict, LongOnesAreRefused) {
  EXPECT_NE(refusal(std::string((1 << 20) + 1, 'N')).find("at most"), std::string::npos);
}

TEST(Npy, HeadersReadBack) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{}, {7}, {2, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8}}) {
    const NpyType type{'u', 2, false};
    const std::vector<uint8_t> head = npy_header_bytes(type, shape);
    EXPECT_EQ(head.size() % 64, 0U);
    const NpyHeader header = parse_npy_header(head, "x");
    EXPECT_EQ(header.type, type);
    EXPECT_EQ(header.shape, shape);
    EXPECT_FALSE(header.fortran_order);
    EXPECT_EQ(header.data_start, head.size());
    for (size_t end = 0; end < head.size(); ++end)
      EXPECT_THROW(parse_npy_header(Bytes(head).first(end), "x"), Error);
  }
}

}  // namespace
}  // namespace vesalius::media
