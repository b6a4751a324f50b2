#include "tasks/train_report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "results_png.h"
#include "tasks/scratch.h"
#include "text/bpe_trainer.h"
#include "text/tokenizer_file.h"

using namespace vesalius;
using namespace vesalius::tasks;
using vesalius::testing::error_of;
using vesalius::testing::Scratch;

namespace {

constexpr int kSide = 64;
const std::string kLeft = "Opacity in the left lung.", kRight = "Opacity in the right lung.";

/// A bright square on the left or the right of a dark film.
void draw(const fs::path& path, bool left) {
  std::vector<uint8_t> image;
  for (int row = 0; row < kSide; ++row)
    for (int column = 0; column < kSide; ++column) {
      const int x = left ? column - 8 : column - 40;
      const bool in = x >= 0 && x < 16 && row >= 24 && row < 40;
      image.push_back(static_cast<uint8_t>((in ? 220 : 30) + (row * 7 + column * 13) % 24));
    }
  write_grey_png(path, kSide, kSide, image);
}

std::string row_of(const std::string& film, const std::string& sentence, const char* box) {
  return R"({"frontal": ")" + film + R"(", "findings": [[")" + sentence + R"(", [[)" + box +
         "]]]]}\n";
}

struct Scene {
  Scratch scratch;
  std::optional<text::Tokenizer> tokenizer;
  std::vector<ReportRow> rows;
  ReportTrainee trainee;
  ReportTrainOptions options;

  Scene() {
    draw(scratch / "left.png", true);
    draw(scratch / "right.png", false);
    rows = read_report_rows(
        scratch.write("data.jsonl", row_of("left.png", kLeft, "0.12, 0.37, 0.38, 0.63") +
                                        row_of("right.png", kRight, "0.62, 0.37, 0.88, 0.63")));
    auto& a = trainee.architecture;
    // A short prompt: what is learnt here is the answer.
    a.wording = {.frontal_only = "{image}", .grounded = " Findings: "};
    write_file(scratch / "tokenizer.json",
               dump_json(text::train_tokenizer(
                   {kLeft, kRight, "Findings:"},
                   {.vocabulary_size = 320, .added = text::maira2_added_tokens()})));
    tokenizer = text::Tokenizer::load(scratch / "tokenizer.json");
    trainee.tokenizer = &*tokenizer;
    a.model.image_token = *tokenizer->id_of("<image>");
    a.model.vision = {.image_size = kSide, .patch_size = 16, .hidden = 32, .layers = 1, .heads = 2};
    a.model.text = {.vocabulary = tokenizer->size(),
                    .hidden = 32,
                    .intermediate = 64,
                    .layers = 2,
                    .heads = 2,
                    .kv_heads = 2,
                    .head_dim = 16,
                    .rope = {}};
    a.model.projector = {.in = 32, .out = 32, .layers = 2};
    a.input = {.size = kSide, .mean = {0.5F, 0.5F, 0.5F}, .std = {0.25F, 0.25F, 0.25F}};
    a.stop = {2};
    const auto store = TensorStore::initialised(3);
    const models::Maira2 model(Weights(store), a.model);
    for (const auto& [name, tensor] : store->taken()) trainee.tensors[name] = tensor;
    options.part = ReportPart::kAll;
    options.batch = 2;
    options.epochs = 1;
    options.learning_rate = 3e-3;
    options.optimizer.smoothing = 0;
    options.optimizer.weight_decay = 0;
    options.augmentation.on = false;
    options.quiet = true;
  }

  TrainResult train(const ShowReports& show = {}) {
    return train_report(
        trainee, rows, show ? rows : std::vector<ReportRow>(), options, [](const Json&) {}, {},
        show);
  }
};

TEST(ReportRows, ReadListsTextAndContext) {
  const Scratch scratch;
  const auto rows = read_report_rows(scratch.write(
      "a.jsonl",
      R"({"frontal": "f.png", "findings": [["Heart is large.", [[0.1, 0.2, 0.3, 0.4]]], ["Clear.", null]], "indication": "Cough."}
{"findings": "no acute disease", "weight": "0.5"}
{"frontal": "f.png", "phrase": "heart", "findings": [["heart", [[0.1, 0.2, 0.3, 0.4]]]]}
)"));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].task(), text::ReportTask::kGroundedFindings);
  EXPECT_EQ(rows[1].task(), text::ReportTask::kFindings);
  EXPECT_EQ(rows[2].task(), text::ReportTask::kPhrase);
  EXPECT_TRUE(rows[0].grounded);
  EXPECT_EQ(rows[0].context.indication, "Cough.");
  EXPECT_EQ(rows[0].sentences.at(0).boxes.at(0).x1, 0.3);
  EXPECT_TRUE(rows[0].sentences.at(1).boxes.empty());
  EXPECT_FALSE(rows[1].grounded);
  EXPECT_EQ(rows[1].findings, "no acute disease");
  EXPECT_EQ(rows[1].weight, 0.5);
}

TEST(ReportRows, StudiesNeedNoFindings) {
  const Scratch scratch;
  const auto rows = read_study_rows(scratch.write(
      "studies.csv",
      "frontal,prior,technique,prior_report,phrase\na.png,b.png,PA,Clear.,tube\n,,,,\n"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].frontal, "a.png");
  EXPECT_EQ(rows[0].prior, "b.png");
  EXPECT_EQ(rows[0].context.technique, "PA");
  EXPECT_EQ(rows[0].context.prior_report, "Clear.");
  EXPECT_EQ(rows[0].context.phrase, "tube");
  EXPECT_TRUE(rows[1].frontal.empty());
  EXPECT_THROW(read_study_rows(scratch.write("none.csv", "frontal\n")), Error);
}

TEST(ReportRows, NameTheRowAtFault) {
  const Scratch scratch;
  const auto refused = [&](const std::string& line, const std::string& why) {
    const auto path = scratch.write("bad.jsonl", R"({"findings": "ok"})" + ("\n" + line + "\n"));
    const auto message = error_of(ErrorCode::kUnsupported, [&] { read_report_rows(path); });
    EXPECT_NE(message.find("row 2"), std::string::npos) << message;
    EXPECT_NE(message.find(why), std::string::npos) << message;
  };
  refused(R"({"frontal": "f.png"})", "no column `findings`");
  refused(R"({"findings": ""})", "no findings");
  refused(R"({"findings": [["x", [[0.5, 0.1, 0.4, 0.9]]]]})", "x0 < x1");
  refused(R"({"findings": [["x", [[0, 0, 2, 1]]]]})", "within 0 to 1");
  refused(R"({"findings": [["x", [[0, 0, 1]]]]})", "not four numbers");
  refused(R"({"findings": [[7, null]]})", "is not [\"sentence\"");
  refused(R"({"findings": "x", "lateral": "l.png"})", "no frontal one");
  refused(R"({"findings": "x", "weight": "much"})", "no number");
  refused(R"({"frontal": "f.png", "phrase": "heart", "findings": "heart"})", "a list of one");
}

/// Sentences and boxes: a tokenizer of Llama's kind puts a space behind <obj>.
std::string meaning(const std::string& text) {
  std::string all;
  for (const auto& sentence : text::parse_grounded(text).sentences) {
    all += sentence.text.substr(sentence.text.find_first_not_of(' '));
    for (const auto& box : sentence.boxes)
      all += fmt::format("[{:.3f} {:.3f} {:.3f} {:.3f}]", box.x0, box.y0, box.x1, box.y1);
  }
  return all;
}

TEST(ReportStore, BoxesMoveWithTheFilm) {
  Scene scene;
  const ReportStore store(scene.rows, scene.trainee.architecture, *scene.tokenizer, true);
  const auto plain = store.sample(0, {}, nullptr);
  EXPECT_EQ(plain.pixels.sizes(), (std::vector<int64_t>{1, 3, kSide, kSide}));
  EXPECT_EQ(meaning(scene.tokenizer->decode(
                std::vector(plain.ids.begin() + plain.answer, plain.ids.end() - 1))),
            meaning(store.answer(store.row(0))));
  EXPECT_EQ(plain.ids.back(), 2);
  // Wherever the bright square goes, its box goes too.
  for (uint64_t seed = 0; seed < 20; ++seed) {
    KeyedRandom random({seed});
    const auto varied = store.sample(0, {.tone = 0}, &random);
    const auto text =
        scene.tokenizer->decode({varied.ids.begin() + varied.answer, varied.ids.end() - 1});
    const auto parsed = text::parse_grounded(text);
    ASSERT_EQ(parsed.sentences.at(0).boxes.size(), 1U) << text;
    const auto& box = parsed.sentences[0].boxes[0];
    const auto bright = (varied.pixels[0][0] > 1).nonzero().to(at::kDouble);  // rows, columns
    const auto least = std::get<0>(bright.min(0)), most = std::get<0>(bright.max(0));
    EXPECT_NEAR(box.x0, least[1].item<double>() / kSide, 0.05) << seed;
    EXPECT_NEAR(box.x1, (most[1].item<double>() + 1) / kSide, 0.05) << seed;
    EXPECT_NEAR(box.y0, least[0].item<double>() / kSide, 0.05) << seed;
    EXPECT_NEAR(box.y1, (most[0].item<double>() + 1) / kSide, 0.05) << seed;
  }
}

TEST(ReportLoss, CountsTheAnswerAloneAndIgnoresPadding) {
  Scene scene;
  const ReportStore store(scene.rows, scene.trainee.architecture, *scene.tokenizer, true);
  const models::Maira2 model(Weights(std::make_shared<TensorStore>("test", scene.trainee.tensors)),
                             scene.trainee.architecture.model);
  const auto one = store.sample(0, {}, nullptr), other = store.sample(1, {}, nullptr);
  const double a = report_loss(model, {one}).item<double>();
  const double b = report_loss(model, {other}).item<double>();
  const auto tokens = [](const ReportSample& s) {
    return static_cast<double>(std::ssize(s.ids) - s.answer);
  };
  EXPECT_NEAR(report_loss(model, {one, other}).item<double>(),
              (a * tokens(one) + b * tokens(other)) / (tokens(one) + tokens(other)), 1e-5);
  auto long_prompt = one;
  long_prompt.answer += 1;
  EXPECT_GT(std::abs(report_loss(model, {long_prompt}).item<double>() - a), 1e-4);
}

TEST(ReportLoss, ReachesTheFilm) {
  Scene scene;
  const ReportStore store(scene.rows, scene.trainee.architecture, *scene.tokenizer, true);
  for (auto& [name, tensor] : scene.trainee.tensors) tensor.set_requires_grad(true);
  const models::Maira2 model(Weights(std::make_shared<TensorStore>("test", scene.trainee.tensors)),
                             scene.trainee.architecture.model);
  report_loss(model, {store.sample(0, {}, nullptr), store.sample(1, {}, nullptr)}).backward();
  for (const auto& [name, tensor] : scene.trainee.tensors) {
    if (name.ends_with("mask_token")) continue;  // of pre-training alone
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_GT(tensor.grad().abs().max().item<double>(), 0) << name;
  }
}

TEST(TrainReport, LearnsTwoFilmsByHeart) {
  Scene scene;
  std::vector<ReportRow> often;
  for (int i = 0; i < 50; ++i) often.insert(often.end(), scene.rows.begin(), scene.rows.end());
  scene.options.epochs = 8;
  std::vector<ReportExample> last;
  Json measured;
  train_report(
      scene.trainee, often, scene.rows, scene.options, [&](const Json& line) { measured = line; },
      {}, [&](int64_t, const auto& examples) { last = examples; });
  EXPECT_EQ(measured.at("well_formed"), 1.0);
  EXPECT_EQ(measured.at("finding_f1"), 1.0);
  ASSERT_EQ(last.size(), 2U);
  for (const auto& example : last) EXPECT_EQ(meaning(example.written), meaning(example.truth));
}

TEST(TrainReport, MovesWhatItSays) {
  for (const auto& [part, moved] : {std::pair{ReportPart::kProjector, "multi_modal_projector."},
                                    {ReportPart::kLowRank, "vision_tower."},
                                    {ReportPart::kLanguage, "vision_tower."}}) {
    Scene scene;
    scene.options.part = part;
    scene.options.epochs = 1;
    const auto result = scene.train();
    ASSERT_EQ(result.weights.size(), scene.trainee.tensors.size());
    for (const auto& [name, value] : result.weights) {
      const bool same = at::equal(value, scene.trainee.tensors.at(name));
      if (part == ReportPart::kProjector) {
        EXPECT_EQ(!same, name.starts_with(moved)) << name;
      } else if (name.starts_with(moved)) {
        EXPECT_TRUE(same) << name;
      } else if (name.find("self_attn.o_proj") != std::string::npos) {
        EXPECT_FALSE(same) << name;
      }
    }
  }
}

TEST(TrainReport, ResumesBitByBit) {
  Scene whole;
  whole.options.epochs = 4;
  const auto wanted = whole.train().weights;
  Scene parts;
  parts.options.epochs = 4;
  parts.options.state = parts.scratch / "state.safetensors";
  int steps = 0;
  const auto first = train_report(
      parts.trainee, parts.rows, {}, parts.options, [](const Json&) {},
      [&] { return ++steps > 2; });
  EXPECT_FALSE(first.finished);
  parts.options.resume = true;
  for (const auto& [name, value] : parts.train().weights)
    EXPECT_TRUE(at::equal(value, wanted.at(name))) << name;
}

}  // namespace
