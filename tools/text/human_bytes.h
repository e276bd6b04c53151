// Sizes for people.
#ifndef HAKMEM_TOOLS_TEXT_HUMAN_BYTES_H_
#define HAKMEM_TOOLS_TEXT_HUMAN_BYTES_H_

#include <cstdint>
#include <string>

namespace hakmem::tools {

// "512 bytes", "1.5 KiB".
std::string HumanBytes(uint64_t bytes);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_TEXT_HUMAN_BYTES_H_
