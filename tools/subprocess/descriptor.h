// A file descriptor that is closed when its owner goes.
#ifndef HAKMEM_TOOLS_SUBPROCESS_DESCRIPTOR_H_
#define HAKMEM_TOOLS_SUBPROCESS_DESCRIPTOR_H_

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace hakmem::tools {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  bool open() const { return number_ >= 0; }
  int number() const { return number_; }  // -1: none

  void Close() {
    const int error = errno;
    if (open()) close(std::exchange(number_, -1));
    errno = error;
  }

 private:
  int number_ = -1;
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_SUBPROCESS_DESCRIPTOR_H_
