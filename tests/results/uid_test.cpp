#include "results/uid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace vesalius::results {
namespace {

bool is_uid(const std::string& uid) {
  return uid.starts_with("2.25.") && uid.size() > 5 && uid.size() <= 64 && uid[5] != '0' &&
         std::all_of(uid.begin() + 5, uid.end(), [](unsigned char c) { return std::isdigit(c); });
}

TEST(Uid, NewOnesDifferAndAreValid) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uid = new_uid();
    EXPECT_TRUE(is_uid(uid)) << uid;
    EXPECT_TRUE(seen.insert(uid).second);
  }
}

TEST(Uid, OfANameIsAlwaysTheSame) {
  EXPECT_TRUE(is_uid(uid_of_name("study of 1.2.3")));
  EXPECT_EQ(uid_of_name("study of 1.2.3"), uid_of_name("study of 1.2.3"));
  EXPECT_NE(uid_of_name("study of 1.2.3"), uid_of_name("series of 1.2.3"));
  // Python: hashlib.sha256(b"").digest()[:16], version 8 and variant set, as an integer.
  EXPECT_EQ(uid_of_name(""), "2.25.302652579918966106791432553938847512868");
}

}  // namespace
}  // namespace vesalius::results
