// Is it MedImageInsight, whole and as published?
#include "catalog/config_yaml.h"
#include "catalog/open.h"
#include "text/clip_tokenizer.h"

namespace vesalius::catalog {
namespace {

/// Lines of one config that the other lacks, "A; B".
std::string lines_beyond(const std::string& text, const std::string& other) {
  std::string beyond;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    if (("\n" + other).find("\n" + line + "\n") == std::string::npos)
      beyond += (beyond.empty() ? "" : "; ") + line.substr(line.find_first_not_of(' '));
    start = end + 1;
  }
  return beyond;
}

/// A model of the catalog is exactly what its publisher built; other names may be of any size.
void check_published(const std::string& name, const OpenPackage& opened) {
  const models::MedImageInsightConfig published;
  const std::string theirs = write_config(opened.config), ours = write_config(published);
  if (theirs != ours)
    fail(ErrorCode::kModel,
         "{}: is another model than {}: its config says {} where the published one says {}. Use "
         "the published package, or add this one under another name.",
         opened.package.config.string(), name, lines_beyond(theirs, ours),
         lines_beyond(ours, theirs));
  if (opened.config.text.vocabulary != published.text.vocabulary)
    fail(ErrorCode::kModel, "{}: embeds {} tokens; {} has {}.", opened.package.weights.string(),
         opened.config.text.vocabulary, name, published.text.vocabulary);
}

void check_tokenizer(const OpenPackage& opened) {
  const auto tokenizer = text::ClipTokenizer::load(opened.package.tokenizer);
  if (tokenizer.vocabulary() != opened.config.text.vocabulary)
    fail(ErrorCode::kModel,
         "{}: has {} tokens, the weights beside it embed {}. Use the tokenizer that was published "
         "with the weights.",
         opened.package.tokenizer.string(), tokenizer.vocabulary(), opened.config.text.vocabulary);
}

}  // namespace

void check_insight(const Package& package, const Card* published) {
  const auto opened = open_package(package.folder);
  if (published != nullptr) check_published(published->name, opened);
  check_tokenizer(opened);
}

}  // namespace vesalius::catalog
