#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/memory/heap_sizes.h"
#include "benchmarks/workloads/memory/memory.h"

namespace hakmem::bench {
namespace {

constexpr size_t kChildren = 8;

// What the parent loads before it forks, 64 MiB, of which it frees a third
// again.
constexpr size_t kLoaded = 65'536;

// A child replaces random ones of the first so many blocks: a tenth of what it
// has inherited.
constexpr size_t kHot = kLoaded / 10;
constexpr uint64_t kReplacements = 100'000;

void Load(BlockArray& blocks, Random& random) {
  for (size_t i = 0; i < kLoaded; ++i) {
    blocks.Replace(i, DrawHeapSize(random));
  }
  for (size_t i = 0; i < kLoaded; ++i) {
    if (random.Below(3) == 0) blocks.Free(i);
  }
}

// A pipe by which one side tells the other how much time of the processor it
// has used so far, or that it is gone.
class Signal {
 public:
  Signal() {
    if (pipe(ends_) != 0) Die(kCannotRun, "no pipe: %s", strerror(errno));
  }
  void KeepReading() { close(ends_[1]); }
  void KeepWriting() { close(ends_[0]); }
  void Close() { close(ends_[1]); }
  void Send(uint64_t cpu_ns) {
    while (write(ends_[1], &cpu_ns, sizeof(cpu_ns)) < 0 && errno == EINTR) {
    }
  }
  // Nothing when all that could send are gone.
  std::optional<uint64_t> Wait() {
    uint64_t cpu_ns;
    ssize_t got;
    do {
      got = read(ends_[0], &cpu_ns, sizeof(cpu_ns));
    } while (got < 0 && errno == EINTR);
    if (got != sizeof(cpu_ns)) return std::nullopt;
    return cpu_ns;
  }

 private:
  int ends_[2];
};

struct Child {
  pid_t process;
  Signal done;
};

// The life of a child: its work, and then waiting until the parent is through,
// or gone.
[[noreturn]] void Serve(BlockArray& blocks, uint64_t seed,
                        uint64_t replacements, Signal& done, Signal& end) {
  Random random(seed);
  for (; replacements != 0; --replacements) {
    blocks.Replace(random.Below(kHot), DrawHeapSize(random));
  }
  done.Send(ClockNanoseconds(CLOCK_PROCESS_CPUTIME_ID));
  end.Wait();
  _exit(0);
}

}  // namespace

void Prefork(Run& run) {
  const uint64_t replacements = run.Scaled(kReplacements);
  if (ProportionalKib(getpid()) == 0) {
    Die(kCannotRun, "the kernel does not tell how memory is shared");
  }
  Random random(run.seed());
  BlockArray blocks(kLoaded);
  Load(blocks, random);
  Child children[kChildren];
  Signal end;
  run.Start();
  for (size_t i = 0; i < kChildren; ++i) {
    Child& child = children[i];
    child.process = fork();
    if (child.process < 0) Die(kCannotRun, "cannot fork: %s", strerror(errno));
    if (child.process == 0) {
      child.done.KeepWriting();
      end.KeepReading();
      Serve(blocks, run.seed() * kChildren + i, replacements, child.done, end);
    }
    child.done.KeepReading();
  }
  for (Child& child : children) {
    const std::optional<uint64_t> cpu_ns = child.done.Wait();
    if (!cpu_ns.has_value()) _exit(kAllocatorFailed);  // it has said why
    run.AddCpu(*cpu_ns);
  }
  run.Stop();
  run.Count(kChildren * replacements);
  uint64_t kib = ProportionalKib(getpid());
  for (const Child& child : children) kib += ProportionalKib(child.process);
  run.Finish();
  end.Close();
  for (const Child& child : children) {
    while (waitpid(child.process, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  run.Report("proportional_kib", static_cast<double>(kib));
}

}  // namespace hakmem::bench
