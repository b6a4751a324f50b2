#include "base/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

namespace vesalius {

std::string sha256(Bytes bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256(std::string_view text) {
  return sha256(Bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

}  // namespace vesalius
