// The files of a CLIP tokenizer: read from the published folder, and written from the merges alone.
#pragma once

#include <string>

#include "base/files.h"
#include "text/bpe.h"

namespace vesalius::text {

inline constexpr const char* kBeginToken = "<|startoftext|>";
inline constexpr const char* kEndToken = "<|endoftext|>";

/// merges.txt: a first line with the version, then one merge a line, two tokens with a space
/// between. Error kModel for a line that is not.
Merges read_merges(const fs::path& path);

/// vocab.json: token to id. Error kModel if it is anything else, or an id is negative or taken
/// twice.
Vocabulary read_vocabulary(const fs::path& path);

/// CLIP's vocabulary follows from its merges: 256 bytes, the same at the end of a word, one token a
/// merge, and the two special tokens.
Vocabulary vocabulary_of(const Merges& merges);

/// Writes vocab.json, merges.txt, special_tokens_map.json and tokenizer_config.json into `folder`,
/// the layout that MedImageInsight's tokenizer is published in.
void write_clip_tokenizer(const fs::path& folder, const fs::path& merges_path);

}  // namespace vesalius::text
