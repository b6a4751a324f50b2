// Runs a Llama decoder, MAIRA-2's language model, on request (worker.h) for bench/report, which
// times its peers between two requests.
//   report WEIGHTS INPUTS CONFIG THREADS
//     WEIGHTS  safetensors with LlamaForCausalLM's names; mapped
//     INPUTS   safetensors: "prompt" and "text", ids
//     CONFIG   JSON: "vocabulary", "hidden", "intermediate", "layers", "heads", where they are not
//              MAIRA-2's
// A pass of "prefill" reads the prompt into an empty cache and gives the "logits" behind it, [1,
// vocabulary]; one of "decode" reads the text behind the prompt token by token, "logits" [text,
// vocabulary].
#include <algorithm>
#include <array>

#include "models/decoder.h"
#include "worker.h"

using namespace vesalius;

namespace {

constexpr int64_t kPassTokens = 512;  // as Generation reads prompts

class Reader {
 public:
  Reader(models::Decoder decoder, const bench::Tensors& inputs)
      : decoder_(std::move(decoder)),
        cache_(decoder_.cache()),
        prompt_(decoder_.embed(ids_of(inputs.at("prompt")))),
        text_(ids_of(inputs.at("text"))) {}

  bench::Tensors operator()(const std::string& input) {
    return {{"logits", input == "prefill" ? prefill() : decode()}};
  }

 private:
  static std::vector<int32_t> ids_of(const at::Tensor& ids) {
    return {ids.const_data_ptr<int32_t>(), ids.const_data_ptr<int32_t>() + ids.numel()};
  }

  at::Tensor prefill() {
    const int64_t length = prompt_.size(0);
    cache_ = decoder_.cache();  // of the precision that is planned now
    cache_.reserve(length + std::ssize(text_));
    at::Tensor hidden;
    for (int64_t done = 0; done < length; done += kPassTokens)
      hidden = decoder_.forward(prompt_.narrow(0, done, std::min(kPassTokens, length - done)),
                                cache_, length);
    return decoder_.logits(hidden.narrow(0, hidden.size(0) - 1, 1));
  }

  at::Tensor decode() {
    cache_.cut(prompt_.size(0));
    std::vector<at::Tensor> rows;
    for (const int32_t id : text_)
      rows.push_back(decoder_.logits(decoder_.forward(decoder_.embed(std::array{id}), cache_)));
    return at::cat(rows);
  }

  models::Decoder decoder_;
  models::KvCache cache_;
  at::Tensor prompt_;  // embedded
  std::vector<int32_t> text_;
};

models::Decoder load_decoder(const std::string& weights, const Json& changes) {
  models::DecoderConfig c;
  c.vocabulary = changes.value("vocabulary", c.vocabulary);
  c.hidden = changes.value("hidden", c.hidden);
  c.intermediate = changes.value("intermediate", c.intermediate);
  c.layers = changes.value("layers", c.layers);
  c.heads = c.kv_heads = changes.value("heads", c.heads);
  c.head_dim = c.hidden / c.heads;
  return bench::load_model<models::Decoder>(weights, c);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_worker(
      count, arguments,
      [](const std::string& weights, const bench::Tensors& inputs, const Json& changes) {
        return Reader(load_decoder(weights, changes), inputs);
      });
}
