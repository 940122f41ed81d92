// See the header.
#include "llmir/formats/tokenizer/StreamDecoder.h"

#include <unicode/utf8.h>
#include <utility>

namespace llmir {

std::string StreamDecoder::push(int32_t id) {
  held += tokenizer->decode({&id, 1}, options);
  size_t whole = held.size();
  U8_TRUNCATE_IF_INCOMPLETE(held.data(), 0, whole);
  std::string result = held.substr(0, whole);
  held.erase(0, whole);
  return result;
}

std::string StreamDecoder::flush() { return std::exchange(held, {}); }

} // namespace llmir
