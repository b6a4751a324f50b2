#include "text/token_decoder.h"

#include <charconv>
#include <optional>
#include <unordered_map>
#include <utility>

#include "text/bpe.h"
#include "text/metaspace.h"
#include "text/pattern.h"
#include "text/unicode.h"

namespace vesalius::text {

namespace {

using Tokens = std::vector<std::string>;

constexpr size_t kMostGrowth = 64;  // of what a file's steps may make of tokens

std::string joined(const Tokens& tokens, std::string_view between) {
  std::string out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) out += between;
    out += tokens[i];
  }
  return out;
}

TokenDecoder::Step parse_replace(const JsonPart& part) {
  return [pattern = Pattern::parse(part["pattern"]),
          content = part["content"].text()](Tokens& tokens) {
    for (std::string& token : tokens) {
      std::string out;
      size_t at = 0;
      for (const Span match : pattern.find_all(token)) {
        out.append(token, at, match.begin - at) += content;
        at = match.end;
      }
      token = out.append(token, at);
    }
  };
}

// <0x0A> → 10.
std::optional<char> byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return {};
  uint8_t byte = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  if (error != std::errc{} || end != token.data() + 5) return {};
  return static_cast<char>(byte);
}

bool is_utf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Step step = utf8_step(bytes, at);
    if (!step.valid) return false;
    at += step.length;
  }
  return true;
}

// A run of bytes that is not text becomes a U+FFFD for each of them.
TokenDecoder::Step parse_byte_fallback(const JsonPart&) {
  return [](Tokens& tokens) {
    Tokens out;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (is_utf8(bytes))
        out.push_back(bytes);
      else
        out.insert(out.end(), bytes.size(), "\uFFFD");
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes.push_back(*byte);
        continue;
      }
      flush();
      out.push_back(std::move(token));
    }
    flush();
    tokens = std::move(out);
  };
}

TokenDecoder::Step parse_fuse(const JsonPart&) {
  return [](Tokens& tokens) { tokens = {joined(tokens, "")}; };
}

TokenDecoder::Step parse_strip(const JsonPart& part) {
  const char32_t character = part["content"].character();
  const auto start = part["start"].count(), stop = part["stop"].count();
  return [content = to_utf8({&character, 1}), start, stop](Tokens& tokens) {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (int32_t i = 0; i < start && rest.starts_with(content); ++i)
        rest.remove_prefix(content.size());
      for (int32_t i = 0; i < stop && rest.ends_with(content); ++i)
        rest.remove_suffix(content.size());
      token = std::string(rest);
    }
  };
}

// The sign is a space, but nothing at all in the first token.
TokenDecoder::Step parse_metaspace(const JsonPart& part) {
  const Metaspace metaspace = Metaspace::parse(part);
  return [pattern = Pattern::literal(metaspace.sign),
          drops = metaspace.prefix != MetaspacePrefix::kNever](Tokens& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string out;
      size_t at = 0;
      for (const Span match : pattern.find_all(tokens[i])) {
        out.append(tokens[i], at, match.begin - at) += i == 0 && drops ? "" : " ";
        at = match.end;
      }
      tokens[i] = out.append(tokens[i], at);
    }
  };
}

// The bytes that a token's letters stand for; a token with other letters is its own bytes.
std::string bytes_of(const std::string& token) {
  static const auto bytes = [] {
    std::unordered_map<char32_t, char> made;
    for (const auto& [byte, letter] : byte_letters())
      made[from_utf8(letter)[0]] = static_cast<char>(byte);
    return made;
  }();
  std::string out;
  for (const char32_t letter : from_utf8(token)) {
    const auto found = bytes.find(letter);
    if (found == bytes.end()) return token;
    out.push_back(found->second);
  }
  return out;
}

TokenDecoder::Step parse_byte_level(const JsonPart&) {
  return [](Tokens& tokens) {
    std::string bytes;
    for (const std::string& token : tokens) bytes += bytes_of(token);
    tokens = {to_utf8(from_utf8(bytes))};
  };
}

constexpr StepKind<TokenDecoder::Step> kKinds[] = {
    {"Replace", parse_replace},     {"ByteFallback", parse_byte_fallback},
    {"Fuse", parse_fuse},           {"Strip", parse_strip},
    {"Metaspace", parse_metaspace}, {"ByteLevel", parse_byte_level},
};

size_t size_of(const Tokens& tokens) {
  size_t bytes = 16;
  for (const std::string& token : tokens) bytes += token.size();
  return bytes;
}

}  // namespace

TokenDecoder TokenDecoder::parse(const JsonPart& part) {
  TokenDecoder out;
  out.spaced_ = part.is_null();
  parse_steps(part, "decoders", kKinds, out.steps_);
  return out;
}

std::string TokenDecoder::apply(std::vector<std::string> tokens) const {
  const size_t most = kMostGrowth * size_of(tokens);
  for (const Step& step : steps_) {
    step(tokens);
    if (size_of(tokens) > most)
      fail(ErrorCode::kModel,
           "the decoder of this tokenizer makes a text more than {} times longer; is its "
           "tokenizer.json as it was published?",
           kMostGrowth);
  }
  return joined(tokens, spaced_ ? " " : "");
}

}  // namespace vesalius::text
