// However the bytes of replies are split, the parser says the same; what it has read it reads again from what
// the writer makes of it; and it keeps to its bounds. The same bytes are then a whole conversation: each
// command that a Session took is answered or failed exactly once, whatever the server says.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "redis/resp.h"
#include "redis/session.h"

namespace redis {
namespace {

void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

constexpr Bounds kBounds{.depth = 6, .line = 64, .bulk = 256, .reply = 512, .elements = 48};

struct Outcome {
  std::vector<Reply> replies;
  bool broken = false;
  bool idle = false;
};

Outcome read(std::string_view wire, std::size_t step) {
  Parser parser(kBounds);
  Outcome out;
  while (!wire.empty()) {
    std::string_view piece = wire.substr(0, step);
    const std::size_t before = piece.size();
    const auto whole = parser.next(piece);
    if (!whole) {
      out.broken = true;
      return out;
    }
    require(piece.size() < before, "a step without progress");
    require(*whole || piece.empty(), "bytes left over and nothing to show");
    wire.remove_prefix(before - piece.size());
    if (*whole) out.replies.push_back(std::move(parser.reply()));
  }
  out.idle = parser.idle();
  return out;
}

void check_bounds(const Reply& reply) {
  std::size_t texts = 0;
  require(!reply.empty() && reply.nodes().size() <= kBounds.elements, "bound of elements");
  for (const Reply::Node& node : reply.nodes()) {
    require(node.depth <= kBounds.depth, "bound of depth");
    texts += reply.text(node).size();
  }
  require(texts <= kBounds.reply, "bound of texts");
}

// A verbatim string's format is not kept: written again it may be no shorter, so bounds are for the first
// reading.
void check_round_trip(const Reply& reply) {
  std::string wire;
  append_reply(wire, reply);
  Parser parser(Bounds{});
  std::string_view rest = wire;
  const auto whole = parser.next(rest);
  require(whole && *whole && rest.empty(), "what was written does not read");
  require(parser.reply() == reply, "what was written reads otherwise");
}

struct Counted : Call {
  Counted() : Call(&Counted::done) {}
  static void done(Call& call, Reply*, base::Error) { ++static_cast<Counted&>(call).calls; }
  int calls = 0;
};

void converse(std::string_view wire) {
  Metrics metrics;
  Session session({.user = "u", .password = base::Secret("p"), .database = 1, .prelude = {}}, 8,
                  base::Seconds(1), kBounds, metrics);
  session.open();
  std::vector<std::unique_ptr<Counted>> calls;
  // The first byte says in which pieces the rest comes; a command is sent, or forgotten, between two of them.
  const std::size_t step = wire.empty() ? 1 : static_cast<std::uint8_t>(wire[0]) % 16 + 1;
  std::size_t taken = 0;
  while (!wire.empty()) {
    const std::string_view piece = wire.substr(0, step);
    wire.remove_prefix(piece.size());
    if (!session.feed(piece)) break;
    calls.push_back(std::make_unique<Counted>());
    const std::string_view ping[] = {"PING"};
    if (session.send(*calls.back(), ping)) ++taken;
    if (piece.back() == 'F' && calls.back()->pending()) {
      session.forget(*calls.back());
      --taken;
    }
    session.wrote(session.output().size());
  }
  session.close({base::Code::kCancelled, "the end"});
  std::size_t told = 0;
  for (const auto& call : calls) {
    require(call->calls <= 1 && !call->pending(), "told twice, or never");
    told += static_cast<std::size_t>(call->calls);
  }
  require(told == taken, "as many told as were taken");
}

}  // namespace
}  // namespace redis

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace redis;
  const std::string_view wire(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(wire, size + 1);
  for (const std::size_t step : {1, 2, 3, 7}) {
    const Outcome split = read(wire, step);
    require(split.broken == whole.broken && split.idle == whole.idle && split.replies == whole.replies,
            "split otherwise, read otherwise");
  }
  for (const Reply& reply : whole.replies) {
    check_bounds(reply);
    check_round_trip(reply);
  }
  converse(wire);
  // And a server that greets well, so that there is a conversation at all.
  converse("%1\r\n+proto\r\n:3\r\n+OK\r\n" + std::string(wire));
  return 0;
}
