#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>

namespace vesalius {
namespace {

TEST(Sha256, GivesThePublishedDigests) {
  // FIPS 180-4's examples, and lengths on both sides of a block's end (from Python's hashlib).
  const std::pair<std::string, const char*> cases[] = {
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
      {std::string(55, 'x'), "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"},
      {std::string(56, 'x'), "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"},
      {std::string(64, 'x'), "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"},
      {std::string(1, '\0'), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
  };
  for (const auto& [text, digest] : cases) EXPECT_EQ(sha256(text), digest) << text.size();
}

TEST(Sha256, BytesAndTextAreTheSame) {
  const std::string text("\0\xFF\x80z", 4);
  const Bytes bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  EXPECT_EQ(sha256(bytes), sha256(std::string_view(text)));
  EXPECT_NE(sha256(bytes), sha256(bytes.subspan(1)));
}

TEST(Fnv1a, GivesThePublishedValues) {
  // From the reference's own test suite (Noll), 64 bits, FNV-1a.
  static_assert(fnv1a64("b") == 0xAF63DF4C8601F1A5ULL);
  const std::pair<std::string_view, uint64_t> cases[] = {{"foo", 0xDCB27518FED9D577ULL},
                                                         {"foobar", 0x85944171F73967E8ULL},
                                                         {"fo", 0x08985907B541D342ULL},
                                                         {"c", 0xAF63DE4C8601EFF2ULL}};
  for (const auto& [text, hash] : cases) EXPECT_EQ(fnv1a64(text), hash) << text;
}

TEST(Fnv1a, TakesBytesAboveAsciiAsUnsigned) {
  // One round by hand: (offset ^ 0xFF) * prime; a signed char would give another number.
  EXPECT_EQ(fnv1a64("\xFF"), (0xCBF29CE484222325ULL ^ 0xFFU) * 0x100000001B3ULL);
}

TEST(Fnv1a, NamesOfTensorsDoNotCollide) {
  std::set<uint64_t> seen;
  int names = 0;
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < 12; ++block)
      for (const char* what : {"weight", "bias", "running_mean", "num_batches_tracked"}) {
        seen.insert(fnv1a64("image_encoder.blocks." + std::to_string(stage) + "." +
                            std::to_string(block) + ".conv1.fn.dw." + what));
        ++names;
      }
  EXPECT_EQ(static_cast<int>(seen.size()), names);
}

}  // namespace
}  // namespace vesalius
