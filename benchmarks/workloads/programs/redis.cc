#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "benchmarks/worker/process_meter.h"
#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"
#include "benchmarks/workloads/programs/redis_traffic.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kRequests = 650'000;
constexpr uint64_t kAtATime = 64;

constexpr char kSocket[] = "redis.socket";
constexpr time_t kPatienceSeconds = 60;

// Talks to a server. (redis-benchmark, which could do so instead, draws other
// numbers each time and does not look at the answers.)
class Client {
 public:
  // Waits until the server listens.
  explicit Client(Child& server) : server_(server) {
    for (int tries = 0; !Connect(); ++tries) {
      if (tries == kPatienceSeconds * 100) {
        Die(kAllocatorFailed, "redis-server: does not listen");
      }
      if (server.HasEnded()) FailAsEnded();
      usleep(10'000);
    }
    const timeval patience = {kPatienceSeconds, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(const std::string& requests) {
    for (size_t sent = 0; sent < requests.size();) {
      const ssize_t part = send(socket_, requests.data() + sent,
                                requests.size() - sent, MSG_NOSIGNAL);
      if (part < 0) FailAsEnded();
      sent += static_cast<size_t>(part);
    }
  }

  // What comes next must be exactly that.
  void Expect(const std::string& replies) {
    received_.resize(replies.size());
    for (size_t done = 0; done < replies.size();) {
      const ssize_t part =
          recv(socket_, received_.data() + done, replies.size() - done, 0);
      if (part < 0 && errno == EAGAIN) {
        Die(kAllocatorFailed, "redis-server: does not answer");
      }
      if (part <= 0) FailAsEnded();
      done += static_cast<size_t>(part);
    }
    ExpectResult("redis-server", received_, replies);
  }

 private:
  bool Connect() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, kSocket, sizeof(kSocket));
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) == 0) {
      return true;
    }
    close(socket_);
    return false;
  }

  // Says how the server ended.
  [[noreturn]] void FailAsEnded() {
    server_.Wait();
    Die(kAllocatorFailed, "redis-server: ended by itself");
  }

  Child& server_;
  int socket_ = -1;
  std::string received_;
};

}  // namespace

void Redis(Run& run) {
  const std::string program = NeedProgram("redis", "redis-server");
  const Folder folder;
  Child server(
      {.program = program,
       .arguments = {"--port", "0", "--unixsocket", kSocket, "--save", "",
                     "--appendonly", "no", "--loglevel", "warning"}});
  const uint64_t count = run.Scaled(kRequests);
  RedisTraffic traffic(run.seed());
  Client client(server);
  const uint64_t start = ClockNanoseconds(CLOCK_MONOTONIC);
  for (uint64_t done = 0; done < count;) {
    std::string requests;
    std::string replies;
    for (uint64_t i = 0; i < kAtATime && done < count; ++i, ++done) {
      traffic.Next(requests, replies);
    }
    client.Send(requests);
    client.Expect(replies);
  }
  const uint64_t end = ClockNanoseconds(CLOCK_MONOTONIC);
  client.Send("SHUTDOWN NOSAVE\r\n");
  // Its CPU time is that of its life, some milliseconds of which are its start
  // and its end.
  Used used = server.Wait();
  used.wall_ns = end - start;
  run.Count(count);
  run.FinishWith(used);
}

}  // namespace hakmem::bench
