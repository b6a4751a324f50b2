#include "tasks/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "base/parallel.h"
#include "base/progress.h"
#include "media/resize.h"

namespace vesalius::tasks {
namespace {

enum Stream : uint64_t { kOrder = 1, kDraw, kAugment, kText };

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + '\n';
  return all;
}

at::Tensor truth_of(const std::vector<const std::vector<std::string>*>& rows,
                    const std::vector<std::string>& texts) {
  std::map<std::string, int64_t> place;
  for (size_t j = 0; j < texts.size(); ++j) place[texts[j]] = static_cast<int64_t>(j);
  auto truth = at::zeros({int64_t(rows.size()), int64_t(texts.size())});
  auto values = truth.accessor<float, 2>();
  for (size_t i = 0; i < rows.size(); ++i)
    for (const std::string& text : *rows[i])
      if (const auto found = place.find(text); found != place.end())
        values[int64_t(i)][found->second] = 1;
  return truth;
}

void to_tensor(media::Image image, const recipes::ModelInput& input, float* out) {
  recipes::normalise({.rgb = std::move(image.data), .size = input.size, .warnings = {}}, input,
                     out);
}

}  // namespace

PreparedPairs::PreparedPairs(const PairSet& set, const recipes::Recipe& recipe, int size,
                             bool quiet) {
  std::vector<std::optional<media::Image>> images(set.pairs.size());
  {
    Progress progress("Reading images", static_cast<int64_t>(set.pairs.size()), quiet);
    parallel_for(static_cast<int64_t>(set.pairs.size()), [&](int64_t i) {
      try {
        images[i] = load_pair(set.pairs[i], recipe, size);
      } catch (const Error& problem) {
        warn(problem.what());
      }
      progress.advance();
    });
  }
  for (size_t i = 0; i < images.size(); ++i) {
    if (!images[i]) continue;
    images_.push_back(std::move(*images[i]));
    texts_.push_back(set.pairs[i].texts);
  }
  if (images_.empty())
    fail(ErrorCode::kUnsupported,
         "none of the {} images of the manifest can be read; the lines above say why.",
         set.pairs.size());
}

BatchMaker::BatchMaker(const PreparedPairs& pairs, const TrainOptions& options,
                       recipes::ModelInput input)
    : pairs_(pairs), options_(options), input_(input) {
  if (options_.balance <= 0) return;
  std::map<std::string, double> count;
  for (size_t i = 0; i < pairs_.size(); ++i) ++count[joined(pairs_.texts(i))];
  double sum = 0;
  for (size_t i = 0; i < pairs_.size(); ++i)
    cumulative_.push_back(sum += std::pow(count[joined(pairs_.texts(i))], -options_.balance));
}

int64_t BatchMaker::steps_per_epoch() const {
  return std::max<int64_t>(1, static_cast<int64_t>(pairs_.size()) / options_.batch);
}

std::vector<size_t> BatchMaker::choose(int64_t step) const {
  std::vector<size_t> chosen(std::min<size_t>(options_.batch, pairs_.size()));
  if (cumulative_.empty()) {
    const int64_t epoch = step / steps_per_epoch(),
                  first = step % steps_per_epoch() * options_.batch;
    std::vector<size_t> order(pairs_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    KeyedRandom random({options_.seed, kOrder, static_cast<uint64_t>(epoch)});
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random.below(static_cast<int64_t>(i))]);
    std::copy_n(order.begin() + first, chosen.size(), chosen.begin());
    return chosen;
  }
  KeyedRandom random({options_.seed, kDraw, static_cast<uint64_t>(step)});
  for (size_t& i : chosen) {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(),
                                        random.uniform(0, cumulative_.back()));
    i = std::min<size_t>(found - cumulative_.begin(), pairs_.size() - 1);
  }
  return chosen;
}

Batch BatchMaker::make(int64_t step) const {
  const std::vector<size_t> chosen = choose(step);
  const auto count = static_cast<int64_t>(chosen.size());
  Batch batch{.pixels = at::empty({count, 3, input_.size, input_.size}),
              .texts = {},
              .column = {},
              .truth = {}};
  parallel_for(count, [&](int64_t i) {
    KeyedRandom random(
        {options_.seed, kAugment, static_cast<uint64_t>(step), static_cast<uint64_t>(i)});
    to_tensor(augment(pairs_.image(chosen[i]), input_.size, options_.augmentation, random), input_,
              batch.pixels[i].data_ptr<float>());
  });
  std::vector<std::string> drawn;
  std::vector<const std::vector<std::string>*> rows;
  for (int64_t i = 0; i < count; ++i) {
    KeyedRandom random(
        {options_.seed, kText, static_cast<uint64_t>(step), static_cast<uint64_t>(i)});
    rows.push_back(&pairs_.texts(chosen[i]));
    drawn.push_back((*rows.back())[random.below(static_cast<int64_t>(rows.back()->size()))]);
  }
  const std::set<std::string> different(drawn.begin(), drawn.end());
  batch.texts.assign(different.begin(), different.end());
  std::vector<int64_t> column;
  column.reserve(drawn.size());
  for (const std::string& text : drawn)
    column.push_back(std::lower_bound(batch.texts.begin(), batch.texts.end(), text) -
                     batch.texts.begin());
  batch.column = at::tensor(column, at::kLong);
  batch.truth = truth_of(rows, batch.texts);
  return batch;
}

Batch BatchMaker::get(int64_t step) {
  Batch batch = next_step_ == step ? next_.get() : make(step);
  next_step_ = step + 1;
  next_ = std::async(std::launch::async, [this, step] { return make(step + 1); });
  return batch;
}

Batch plain_batch(const PreparedPairs& pairs, size_t first, size_t count,
                  const recipes::ModelInput& input, const std::vector<std::string>& texts) {
  Batch batch{.pixels = at::empty({int64_t(count), 3, input.size, input.size}),
              .texts = texts,
              .column = {},
              .truth = {}};
  std::vector<const std::vector<std::string>*> rows;
  for (size_t i = 0; i < count; ++i) {
    to_tensor(
        media::resize(pairs.image(first + i), input.size, input.size, media::Filter::kBicubic),
        input, batch.pixels[int64_t(i)].data_ptr<float>());
    rows.push_back(&pairs.texts(first + i));
  }
  batch.truth = truth_of(rows, texts);
  return batch;
}

}  // namespace vesalius::tasks
