#include "media/npz.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "media/deflate.h"

namespace vesalius::media {
namespace {

using std::string_literals::operator""s;

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string refusal(const std::string& pickle) {
  try {
    parse_pickled_dict(bytes_of(pickle), "x");
    return "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.what();
  }
}

TEST(Pickle, ADictionary) {
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

TEST(Pickle, FunctionsAreRefusedByName) {
  EXPECT_NE(refusal("\x80\x04"
                    "cos\nsystem\n."s)
                .find("os.system"),
            std::string::npos);
  EXPECT_NE(refusal("\x80\x04\x8C\x05posix\x8C\x06system\x93."s).find("posix.system"),
            std::string::npos);
  EXPECT_NE(refusal("\x80\x04"
                    "cnumpy\nload\n."s)
                .find("numpy.load"),
            std::string::npos);
}

TEST(Pickle, StacksThatRunEmptyAndMarksThatLack) {
  for (const std::string& pickle : {"."s,
                                    "0."s,
                                    "R."s,
                                    "K\x01R."s,
                                    "b."s,
                                    "}K\x01s."s,
                                    "K\x01s."s,
                                    "u."s,
                                    "}(K\x01u."s,
                                    "(."s,
                                    "t."s,
                                    "\x87."s,
                                    "\x94."s,
                                    "h\x05."s,
                                    "j\xFF\xFF\xFF\xFF."s,
                                    "r\xFF\xFF\xFF\xFF."s,
                                    "}r\xFF\xFF\xFF\x7F."s,
                                    "K\x01."s,
                                    "X\xFF\xFF\xFF\xFF"s,
                                    "\x8E\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s,
                                    ""s,
                                    "}"s,
                                    "\x93."s,
                                    "\xFF"s,
                                    "]K\x01s."s,
                                    "\x8A\x09"
                                    "123456789."s}) {
    EXPECT_NE(refusal(pickle).find("x: is no pickle"), std::string::npos) << pickle;
  }
}

TEST(Pickle, ObjectsMayHoldThemselves) {
  // A list that is its own member, and a dictionary whose value is itself.
  EXPECT_NE(refusal("]\x94h\x00"
                    "a."s),
            "it was read");
  EXPECT_NE(refusal("}\x94K\x01h\x00s."s), "it was read");
}

TEST(Pickle, OneTextRepeatedIsNotSpreadOut) {
  std::string pickle = "X"s + "\0\0\x04\0"s + std::string(1 << 18, 'a') +
                       "\x94"
                       "0}(";
  for (int i = 0; i < 100000; ++i) pickle += "K\x01h\x00"s;
  EXPECT_NE(refusal(pickle + "u.").find("repeats a text"), std::string::npos);
}

TEST(Pickle, LongOnesAreRefused) {
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

TEST(Deflate, BackAndForthInPieces) {
  for (const Wrapping wrapping : {Wrapping::kRaw, Wrapping::kGzip}) {
    std::vector<uint8_t> content(300000);
    for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<uint8_t>(i * i / 1000);
    Deflater deflater(wrapping);
    std::vector<uint8_t> packed;
    for (size_t at = 0; at < content.size(); at += 7777) {
      deflater.write(Bytes(content).subspan(at, std::min<size_t>(7777, content.size() - at)));
      const std::vector<uint8_t> piece = deflater.take();
      packed.insert(packed.end(), piece.begin(), piece.end());
    }
    deflater.finish();
    const std::vector<uint8_t> rest = deflater.take();
    packed.insert(packed.end(), rest.begin(), rest.end());
    EXPECT_LT(packed.size(), content.size());
    Inflater inflater(packed, wrapping, "x");
    std::vector<uint8_t> read(content.size());
    for (size_t at = 0; at < read.size(); at += 1000)
      ASSERT_EQ(inflater.read(read.data() + at, 1000), 1000U);
    EXPECT_EQ(read, content);
    EXPECT_EQ(inflater.read(read.data(), 1), 0U);
    Inflater cut(Bytes(packed).first(packed.size() / 2), wrapping, "x");
    EXPECT_THROW(cut.read(read.data(), read.size()), Error);
  }
}

TEST(Deflate, NoMoreThan1032ForOne) {
  EXPECT_TRUE(plausible_deflate(1000, 0));
  EXPECT_TRUE(plausible_deflate(1032 << 10, 1 << 10));
  EXPECT_FALSE(plausible_deflate(1040 << 10, 1 << 10));
  EXPECT_FALSE(plausible_deflate(~uint64_t{0}, 1 << 20));
  std::vector<uint8_t> zeros(1 << 24);
  Deflater deflater(Wrapping::kRaw, 9);
  deflater.write(zeros);
  deflater.finish();
  EXPECT_TRUE(plausible_deflate(zeros.size(), deflater.take().size()));
}

}  // namespace
}  // namespace vesalius::media
