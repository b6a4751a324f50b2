// Which cards the program knows, and which of two with one name it takes.
#include <algorithm>

#include "catalog/catalog.h"
#include "scene.h"

namespace vesalius::catalog {
namespace {

class Cards : public Scene {
 protected:
  fs::path own = root / "catalog", models = root / "home" / "models";

  void SetUp() override {
    Scene::SetUp();
    fs::create_directories(own);
    ::setenv("VESALIUS_CATALOG", own.c_str(), 1);
  }

  /// A package without sense in its parts, whose card says `card`.
  fs::path package(const fs::path& at, const std::string& card) const {
    write_file(at / "config.yaml", "x: 1\n");
    write_file(at / "card.toml", card);
    return at;
  }

  static std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const Card& card : list_cards()) found.push_back(card.name);
    return found;
  }
};

using Names = std::vector<std::string>;

TEST_F(Cards, NoFolderAtAllIsNoCard) {
  fs::remove_all(own);
  EXPECT_EQ(names(), Names{});
  EXPECT_FALSE(find_card(""));
  EXPECT_FALSE(find_card("starter-insight"));
}

TEST_F(Cards, DescriptionsComeInTheOrderOfTheirFiles) {
  write_file(own / "b.toml", "name = \"first by name, second by file\"\n");
  write_file(own / "a.toml", "name = \"z\"\n");
  write_file(own / "c.toml", "title = \"named by its file\"\n");
  write_file(own / "notes.txt", "name = \"no card\"\n");
  EXPECT_EQ(names(), (Names{"z", "first by name, second by file", "c"}));
  EXPECT_EQ(find_card("c")->title, "named by its file");
  EXPECT_TRUE(find_card("c")->folder.empty());
}

TEST_F(Cards, AnInstalledModelStandsInPlaceOfItsDescription) {
  write_file(own / "a.toml", "name = \"m\"\ntitle = \"described\"\nlicence = \"MIT\"\n");
  write_file(own / "b.toml", "name = \"other\"\n");
  const auto folder = package(models / "m", "name = \"m\"\ntitle = \"installed\"\n");
  EXPECT_EQ(names(), (Names{"m", "other"}));  // its place in the list is kept
  const auto card = find_card("m");
  EXPECT_EQ(card->title, "installed");
  EXPECT_EQ(card->folder, folder);
  EXPECT_EQ(card->licence, "");  // one card or the other, never a mixture
}

TEST_F(Cards, WhatAUserInstalledGoesBeforeWhatCameWithTheProgram) {
  package(own / "m", "name = \"m\"\ntitle = \"came along\"\n");
  EXPECT_EQ(find_card("m")->title, "came along");
  package(models / "m", "name = \"m\"\ntitle = \"installed\"\n");
  EXPECT_EQ(find_card("m")->title, "installed");
  EXPECT_EQ(names(), Names{"m"});
}

TEST_F(Cards, OfTwoFoldersWithOneNameTheLaterByNameIsTaken) {
  package(models / "b", "name = \"m\"\ntitle = \"in b\"\n");
  package(models / "a", "name = \"m\"\ntitle = \"in a\"\n");
  EXPECT_EQ(names(), Names{"m"});
  EXPECT_EQ(find_card("m")->title, "in b");
  EXPECT_FALSE(find_card("a"));  // the folder's name is for cards that say none
}

TEST_F(Cards, WhatIsNoInstalledModelIsPassedOver) {
  write_file(models / "file.toml", "name = \"a description among models\"\n");
  write_file(models / "no-config" / "card.toml", "name = \"no-config\"\n");
  write_file(models / "no-card" / "config.yaml", "x: 1\n");
  package(models / ".half-copied", "name = \"hidden\"\n");
  package(models / "deep" / "er", "name = \"two folders down\"\n");
  package(models / "good", "name = \"good\"\n");
  EXPECT_EQ(names(), Names{"good"});
}

TEST_F(Cards, ABrokenInstalledCardLeavesTheDescriptionStanding) {
  write_file(own / "m.toml", "name = \"m\"\ntitle = \"described\"\n");
  for (const char* broken : {"name = ", "name = \"m\"\nname = \"m\"\n", "[[", "\xFF\xFE"}) {
    package(models / "m", broken);
    testing::internal::CaptureStderr();
    const auto card = find_card("m");
    const auto said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(card->title, "described") << broken;
    EXPECT_TRUE(mentions(said, (models / "m" / "card.toml").string())) << said;
  }
}

TEST_F(Cards, ValuesOfTheWrongKindAreAsGoodAsNone) {
  struct Case {
    const char* card;
    const char* name;
    bool seeded, starter;
  };
  const Case cases[] = {
      {"name = 3\n", "folder", false, false},
      {"name = \"\"\n", "folder", false, false},
      {"name = [\"a\"]\n", "folder", false, false},
      {"seeded = \"true\"\nstarter = 1\n", "folder", false, false},
      {"seeded = true\n", "folder", true, false},
      {"starter = true\nname = \"n\"\n", "n", false, true},
      {"[name]\nname = \"below\"\n", "folder", false, false},
  };
  for (const Case& c : cases) {
    package(models / "folder", c.card);
    const auto cards = list_cards();
    ASSERT_EQ(cards.size(), 1U) << c.card;
    EXPECT_EQ(cards[0].name, c.name) << c.card;
    EXPECT_EQ(cards[0].seeded, c.seeded) << c.card;
    EXPECT_EQ(cards[0].starter, c.starter) << c.card;
  }
}

TEST_F(Cards, HomeIsWhereTheEnvironmentSays) {
  const char* kept = std::getenv("HOME");
  const std::string user = kept == nullptr ? "" : kept;
  EXPECT_EQ(home(), root / "home");
  ::setenv("VESALIUS_HOME", "", 1);  // set to nothing is not set
  ::setenv("HOME", "/somebody", 1);
  EXPECT_EQ(home(), "/somebody/.local/share/vesalius");
  ::unsetenv("VESALIUS_HOME");
  ::unsetenv("HOME");
  EXPECT_EQ(home(), fs::temp_directory_path() / "vesalius");
  if (kept != nullptr) ::setenv("HOME", user.c_str(), 1);
}

}  // namespace
}  // namespace vesalius::catalog
