#include "models/generation.h"

#include <gtest/gtest.h>

#include <limits>

#include "models/maira2.h"

using namespace vesalius;
using namespace vesalius::models;

namespace {

DecoderConfig tiny() {
  return {.vocabulary = 50,
          .hidden = 32,
          .intermediate = 48,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .head_dim = 8,
          .rope = {}};
}

/// Initial values, and a head that makes some tokens much likelier than others.
Decoder decoder(const DecoderConfig& c = tiny()) {
  const auto store = TensorStore::initialised(3);
  const Decoder made{Weights(store), c};
  for (auto [name, tensor] : store->taken())
    if (name == "lm_head.weight") tensor.mul_(30);
  return made;
}

const std::vector<int32_t> kPrompt{1, 5, 9, 30, 4, 7};

template <class Work>
ErrorCode error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kFailed;
}

TEST(KvCache, KeepsAPrefix) {
  KvCache cache(2, 3, 4);
  const auto keys = at::randn({5, 3, 4}), values = at::randn({5, 3, 4});
  for (int64_t layer = 0; layer < 2; ++layer) {
    const auto all = cache.append(layer, keys, values);
    EXPECT_TRUE(at::equal(all.keys, keys.transpose(0, 1)));
    EXPECT_TRUE(at::equal(all.values, values.transpose(0, 1)));
  }
  cache.advance(5);
  EXPECT_EQ(cache.length(), 5);
  cache.cut(3);
  EXPECT_EQ(cache.length(), 3);
  cache.reserve(4000);  // moves what is there
  const auto more = at::randn({2, 3, 4});
  const auto all = cache.append(1, more, more);
  EXPECT_TRUE(at::equal(all.keys, at::cat({keys.narrow(0, 0, 3), more}).transpose(0, 1)));
  EXPECT_EQ(error_of([&] { cache.cut(4); }), ErrorCode::kFailed);
}

TEST(KvCache, KnowsWhatShortFactorsTurned) {
  KvCache cache(1, 1, 2);
  const auto add = [&](int64_t tokens, bool long_rope) {
    const auto x = at::zeros({tokens, 1, 2});
    cache.append(0, x, x);
    cache.advance(tokens, long_rope);
  };
  add(4, false);
  EXPECT_EQ(cache.short_tokens(), 4);
  add(3, true);
  EXPECT_EQ(cache.short_tokens(), 4);
  cache.cut(2);
  EXPECT_EQ(cache.short_tokens(), 2);
  cache.cut(0);
  add(3, true);
  EXPECT_EQ(cache.short_tokens(), 0);
}

TEST(Decoder, PartsOfATextGiveWhatTheWholeGives) {
  const auto d = decoder();
  const auto embeds = at::randn({20, 32});
  auto whole = d.cache(), parts = d.cache();
  const auto expected = d.forward(embeds, whole);
  std::vector<at::Tensor> got;
  int64_t at = 0;
  for (const int64_t count : {1, 7, 2, 10}) {
    got.push_back(d.forward(embeds.narrow(0, at, count), parts));
    at += count;
  }
  EXPECT_LT((at::cat(got) - expected).abs().max().item<double>(), 1e-5);
  EXPECT_LT((d.forward(embeds.unsqueeze(0))[0] - expected).abs().max().item<double>(), 1e-5);
}

TEST(Decoder, PaddingBehindATextDoesNotMatter) {
  const auto d = decoder();
  auto batch = at::randn({2, 9, 32});
  const auto before = d.forward(batch);
  batch[1].narrow(0, 6, 3).fill_(100);
  const auto after = d.forward(batch);
  EXPECT_LT((after[0] - before[0]).abs().max().item<double>(), 1e-5);
  EXPECT_LT((after[1] - before[1]).narrow(0, 0, 6).abs().max().item<double>(), 1e-5);
}

TEST(Decoder, UnknownTokensAreRefused) {
  const auto d = decoder();
  EXPECT_EQ(error_of([&] { d.embed(std::vector<int32_t>{50}); }), ErrorCode::kModel);
  EXPECT_EQ(error_of([&] { d.embed(std::vector<int32_t>{-1}); }), ErrorCode::kModel);
}

TEST(Generation, StopsAtTheLimitAStopTokenOrTheCaller) {
  const auto d = decoder();
  Generation session(d);
  const auto prompt = text_prompt(d, kPrompt);
  const auto free = session.generate(prompt, {.max_new_tokens = 12});
  EXPECT_EQ(free.ids.size(), 12U);
  EXPECT_EQ(free.finished_by, FinishedBy::kLimit);
  EXPECT_EQ(free.passes, 11);  // the prompt's own pass gives the first

  const int32_t stop = free.ids[4];
  const auto stopped = session.generate(prompt, {.max_new_tokens = 12, .stop = {stop}});
  EXPECT_EQ(stopped.finished_by, FinishedBy::kStopToken);
  EXPECT_EQ(stopped.ids.back(), stop);
  EXPECT_LE(stopped.ids.size(), 5U);

  int seen = 0;
  GenerateOptions three{.max_new_tokens = 12};
  three.on_step = [&](const Step& step) {
    EXPECT_EQ(step.id, free.ids[static_cast<size_t>(seen)]);
    EXPECT_EQ(step.logits.sizes(), (std::vector<int64_t>{50}));
    const auto scores = at::log_softmax(step.logits, 0);
    EXPECT_NEAR(step.log_prob, scores[step.id].item<float>(), 1e-4);
    return ++seen < 3;
  };
  const auto called = session.generate(prompt, three);
  EXPECT_EQ(called.finished_by, FinishedBy::kCaller);
  EXPECT_EQ(called.ids, (std::vector<int32_t>{free.ids.begin(), free.ids.begin() + 3}));
}

TEST(Generation, NothingToWrite) {
  const auto d = decoder();
  const auto done = Generation(d).generate(text_prompt(d, kPrompt), {.max_new_tokens = 0});
  EXPECT_TRUE(done.ids.empty());
  EXPECT_EQ(done.prefill_computed, 6);
}

TEST(Generation, ReusesWhatTwoPromptsShare) {
  const auto d = decoder();
  Generation session(d);
  const auto first = session.generate(text_prompt(d, kPrompt), {.max_new_tokens = 5});
  EXPECT_EQ(first.prefill_reused, 0);
  const auto again = session.generate(text_prompt(d, kPrompt), {.max_new_tokens = 5});
  EXPECT_EQ(again.prefill_reused, 5);  // the last is read for its scores
  EXPECT_EQ(again.ids, first.ids);

  auto longer = kPrompt;  // the text so far as a prompt
  longer.insert(longer.end(), first.ids.begin(), first.ids.begin() + 3);
  const auto next = session.generate(text_prompt(d, longer), {.max_new_tokens = 2});
  EXPECT_EQ(next.prefill_reused, 8);
  EXPECT_EQ(next.ids, (std::vector<int32_t>{first.ids.begin() + 3, first.ids.end()}));

  EXPECT_EQ(session.generate(text_prompt(d, kPrompt), {.reuse_prefix = false}).prefill_reused, 0);
  session.forget();
  EXPECT_EQ(session.generate(text_prompt(d, kPrompt)).prefill_reused, 0);
}

TEST(Generation, AStoppedPromptGoesOn) {
  const auto d = decoder();
  Generation session(d);
  const std::vector<int32_t> ids(1500, 3);
  GenerateOptions options{.max_new_tokens = 1};
  options.on_prefill = [](int64_t done, int64_t total) {
    EXPECT_EQ(total, 1500);
    return done < 1000;
  };
  const auto stopped = session.generate(text_prompt(d, ids), options);
  EXPECT_EQ(stopped.finished_by, FinishedBy::kCaller);
  EXPECT_TRUE(stopped.ids.empty());
  const auto done = session.generate(text_prompt(d, ids), {.max_new_tokens = 1});
  EXPECT_EQ(done.prefill_reused, stopped.prefill_computed);
  EXPECT_EQ(done.prefill_reused + done.prefill_computed, 1500);
}

TEST(Generation, AnErrorOfTheCallerLosesNothing) {
  const auto d = decoder();
  Generation session(d);
  const auto expected = session.generate(text_prompt(d, kPrompt), {.max_new_tokens = 4});
  GenerateOptions options{.max_new_tokens = 4};
  options.on_step = [](const Step&) -> bool { fail(ErrorCode::kFailed, "the disk is full"); };
  EXPECT_EQ(error_of([&] { session.generate(text_prompt(d, kPrompt), options); }),
            ErrorCode::kFailed);
  const auto again = session.generate(text_prompt(d, kPrompt), {.max_new_tokens = 4});
  EXPECT_EQ(again.ids, expected.ids);
  EXPECT_EQ(again.prefill_reused, 5);
}

TEST(Generation, GuessesThatComeTrueSavePasses) {
  const auto d = decoder();
  Generation session(d);
  const auto plain = session.generate(text_prompt(d, kPrompt), {.max_new_tokens = 30});
  const auto guessed = session.generate(text_prompt(d, kPrompt),
                                        {.max_new_tokens = 30, .lookup = plain.ids, .guess = 10});
  EXPECT_EQ(guessed.ids, plain.ids);
  EXPECT_GT(guessed.accepted, 0);
  EXPECT_LT(guessed.passes, plain.passes);
  EXPECT_EQ(guessed.passes + guessed.accepted, plain.passes);
  auto wrong = plain.ids;
  for (size_t i = 3; i < wrong.size(); ++i) wrong[i] = 49 - wrong[i];
  const auto misled =
      session.generate(text_prompt(d, kPrompt), {.max_new_tokens = 30, .lookup = wrong});
  EXPECT_EQ(misled.ids, plain.ids);
}

TEST(Generation, EqualSeedsDrawEqualTexts) {
  const auto d = decoder();
  Generation session(d);
  const auto draw = [&](uint64_t seed) {
    return session
        .generate(text_prompt(d, kPrompt),
                  {.max_new_tokens = 30, .sampling = {.temperature = 5, .seed = seed}})
        .ids;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(Generation, LittleTopPIsGreedy) {
  const auto d = decoder();
  Generation session(d);
  const auto greedy = session.generate(text_prompt(d, kPrompt), {.max_new_tokens = 20});
  const auto drawn =
      session.generate(text_prompt(d, kPrompt),
                       {.max_new_tokens = 20, .sampling = {.temperature = 1, .top_p = 1e-6}});
  EXPECT_EQ(drawn.ids, greedy.ids);
}

TEST(Generation, SenselessOptionsAreRefused) {
  const auto d = decoder();
  const auto code = [&](const PromptInput& prompt, const GenerateOptions& options) {
    return error_of([&] { Generation(d).generate(prompt, options); });
  };
  const auto prompt = text_prompt(d, kPrompt);
  EXPECT_EQ(code(text_prompt(d, {}), {}), ErrorCode::kUsage);
  EXPECT_EQ(code(prompt, {.max_new_tokens = -1}), ErrorCode::kUsage);
  EXPECT_EQ(code(prompt, {.sampling = {.temperature = -1}}), ErrorCode::kUsage);
  EXPECT_EQ(code(prompt, {.sampling = {.temperature = 1, .top_p = 0}}), ErrorCode::kUsage);
  EXPECT_EQ(code(prompt, {.force = {3, 50}}), ErrorCode::kModel);
  auto short_keys = prompt;
  short_keys.keys.pop_back();
  EXPECT_EQ(code(short_keys, {}), ErrorCode::kUsage);
}

TEST(Generation, WeightsThatAreNoNumbersAreNoticed) {
  const auto d = decoder();
  d.lm_head.weight.fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(error_of([&] { Generation(d).generate(text_prompt(d, kPrompt)); }), ErrorCode::kModel);
}

}  // namespace
