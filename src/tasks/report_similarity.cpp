#include "tasks/report_similarity.h"

#include "recipes/recipe.h"
#include "tasks/embed.h"

namespace vesalius::tasks {

at::Tensor film_features(const catalog::EmbeddingModel& model, const std::string& path) {
  const auto input = model.input();
  const auto recipe = recipes::make_recipe(model.card().recipe);
  const auto file = MappedFile::open(path);
  const auto square = recipes::prepare(recipe, input, file->bytes(), path);
  auto pixels = at::empty({1, 3, input.size, input.size}, at::kFloat);
  recipes::normalise(square, input, pixels.mutable_data_ptr<float>());
  return unit_rows(model.embed_images(pixels))[0];
}

void add_similarity(const catalog::EmbeddingModel& model, Report& report) {
  if (report.sentences.empty()) return;
  std::vector<std::string> texts;
  for (const ReportSentence& sentence : report.sentences) texts.push_back(sentence.text);
  const auto words = unit_rows(text_features(model, texts));
  const auto cosines = at::mv(words, film_features(model, report.frontal.path));
  for (size_t i = 0; i < texts.size(); ++i)
    report.sentences[i].similarity = cosines[static_cast<int64_t>(i)].item<double>();
}

}  // namespace vesalius::tasks
