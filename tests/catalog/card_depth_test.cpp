// A card may come from anywhere; how deep it nests must not decide how much stack is needed.
#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/toml.h"

namespace vesalius::catalog {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(CardDepth, DeepKeysAndValuesAreRefused) {
  const std::string deep = "a" + repeated(".a", 200'000);
  for (const std::string& text :
       {deep + " = 1\n", "[" + deep + "]\n", "x = {" + deep + " = 1}\n",
        "x = " + repeated("[", 200'000), "x = " + repeated("{a = ", 100'000)}) {
    try {
      parse_toml(text, "card.toml");
      ADD_FAILURE() << text.substr(0, 20);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
    }
  }
}

TEST(CardDepth, TheDeepestThatIsTakenFitsTheStack) {
  std::string text = "a" + repeated(".a", 90) + " = ";
  for (int i = 0; i < 7; ++i) text += "[\n{a" + repeated(".a", 90) + " = ";
  text += "1" + repeated("}\n]", 7) + "\n";
  const Json card = parse_toml(text, "card.toml");
  EXPECT_NO_THROW(parse_toml(card_toml(card), "again"));
}

}  // namespace
}  // namespace vesalius::catalog
