#include "prove/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <set>

#include "net/testing_tls.h"
#include "prove/engine/testing.h"

namespace prove {
namespace {

using prove::testing::Draft;
using prove::testing::Peer;
using prove::testing::Server;

bool ok(Peer& peer, const std::string&, int) {
  return Server::reply(peer, "hello");
}

Nanos worst(const OutcomeStats& stats) {
  return stats.response.max();
}

TEST(EngineTest, SendsEveryArrivalOnceAndCountsIt) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario();
  draft.step();
  draft.open(1'500, Millis(200));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk), 300u);
  EXPECT_EQ(server.requests(), 300);
  EXPECT_EQ(server.connections(), 4);
  const SegmentStats& segment = run.books.segments.at(0);
  EXPECT_EQ(segment.offered, 300u);
  EXPECT_GE(segment.sent, 100u);  // before the phase ended, so all of them unless this machine was held up
  EXPECT_LE(segment.sent, 300u);
  EXPECT_EQ(segment.lag.count(), 300u);
  EXPECT_EQ(segment.busy.size(), 1u);
  const StepStats step = run.step();
  const OutcomeStats& stats = step.outcomes[0];
  EXPECT_EQ(stats.bytes, 1'500u);
  EXPECT_EQ(stats.response.count(), 300u);
  EXPECT_EQ(stats.service.count(), 300u);
  EXPECT_EQ(stats.first_byte.count(), 300u);
  EXPECT_EQ(run.step().statuses.at(200), 300u);
}

TEST(EngineTest, HandsOverIntervalsThatAddUp) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario();
  draft.step();
  draft.open(1'000, Millis(300));
  draft.campaign.generators = 2;
  const auto run = draft.run();
  std::uint64_t sum = 0, offered = 0, connections = 0;
  double at = 0;
  for (const IntervalPart& part : run.intervals) {
    sum += part.row.outcomes[0];
    offered += part.row.offered;
    connections = std::max(connections, part.row.connections);
    EXPECT_GT(part.row.at, at);
    at = part.row.at;
    EXPECT_EQ(part.row.p50, part.response.percentile(50));
  }
  EXPECT_GE(run.intervals.size(), 6u);
  EXPECT_EQ(sum, 300u);
  EXPECT_EQ(offered, 300u);
  EXPECT_EQ(connections, 4u);
  EXPECT_EQ(run.books.segments.at(0).busy.size(), 2u);
}

TEST(EngineTest, CountsResponsesFromTheIntendedStart) {
  // A server that holds each request for 20 ms, asked every 5 ms over one connection: arrivals wait, and the
  // wait is in the response time and not in the service time.
  Server server([](Peer& peer, const std::string&, int) {
    ::poll(nullptr, 0, 20);
    return Server::reply(peer, "x");
  });
  Draft draft(server.port());
  draft.scenario("s", 1);
  draft.step();
  draft.open(200, Millis(100));
  const StepStats step = draft.run().step();
  const OutcomeStats& stats = step.outcomes[0];
  EXPECT_EQ(stats.count, 20u);
  EXPECT_GT(worst(stats), Millis(250));
  EXPECT_LT(stats.service.percentile(50), stats.response.percentile(50));
}

TEST(EngineTest, RecordsWhatIsInFlightAtTheEndWithTheTimeItTook) {
  Server server([](Peer& peer, const std::string&, int) { return peer.read(1) != ""; });
  Draft draft(server.port());
  draft.scenario("s", 2);
  draft.step();
  draft.open(100, Millis(100));
  draft.campaign.grace = Millis(100);
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kTimedOut), 10u);  // two were sent, eight waited for a connection
  EXPECT_EQ(run.reason(Reason::kInFlight), 10u);
  EXPECT_GE(worst(run.step().outcomes[3 + 1]), Millis(200));
  EXPECT_LE(run.step().outcomes[3 + 1].service.count(), 2u);
  EXPECT_LE(run.books.segments.at(0).sent, 2u);
}

TEST(EngineTest, TimesOutAtTheStepsOwnTime) {
  Server server([](Peer& peer, const std::string&, int) { return peer.read(1) != ""; });
  Draft draft(server.port());
  draft.scenario("s", 8);
  draft.step().timeout = Millis(60);
  draft.open(50, Millis(100));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kTimedOut), 5u);
  EXPECT_EQ(run.reason(Reason::kInFlight), 0u);
  EXPECT_GT(run.reason(Reason::kReplyTimeout), 0u);
  EXPECT_GE(run.step().outcomes[4].response.min(), Millis(60));
}

TEST(EngineTest, CallsAReplyLateThatCameBeforeItWasStopped) {
  Server server([](Peer& peer, const std::string&, int) {
    ::poll(nullptr, 0, 45);
    return Server::reply(peer, "x");
  });
  Draft draft(server.port());
  draft.scenario("s", 8);
  draft.step().timeout = Millis(40);
  draft.open(50, Millis(100));
  EXPECT_EQ(draft.run().count(Outcome::kTimedOut), 5u);
}

TEST(EngineTest, TimesOutWhatWaitedTooLongForAConnection) {
  Server server([](Peer& peer, const std::string&, int) { return peer.read(1) != ""; });
  Draft draft(server.port());
  draft.scenario("s", 1);
  draft.step().timeout = Millis(60);
  draft.open(1'000, Millis(5));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kTimedOut), 5u);
  EXPECT_GE(run.reason(Reason::kConnectTimeout), 3u);
  EXPECT_LT(server.requests(), 3);
}

TEST(EngineTest, TellsRefusedFromResetFromNoHttp) {
  Server server([](Peer& peer, const std::string& head, int) {
    if (head.starts_with("GET /reset")) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    if (head.starts_with("GET /junk")) peer.write("junk\r\n\r\n");
    if (head.starts_with("GET /more")) peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxx");
    return false;
  });
  Draft draft(server.port());
  const auto [listener, port] = net::testing::listen_on_loopback();
  ::close(listener);
  Target gone = draft.campaign.targets[0];
  gone.name = "gone";
  gone.url.port = port;
  draft.campaign.targets.push_back(gone);
  for (const auto* path : {"/reset", "/junk", "/more", "/gone"}) {
    draft.scenario(path);
    draft.step(path);
  }
  draft.campaign.scenarios[3].steps[0].target = "gone";
  draft.open(400, Millis(100));
  const auto run = draft.run();
  std::uint64_t all = 0;
  const std::array<Reason, 4> reasons = {Reason::kReset, Reason::kBadReply, Reason::kBadReply,
                                         Reason::kRefused};
  for (std::size_t s = 0; s < 4; ++s) {
    EXPECT_EQ(run.count(Outcome::kFailed, s), run.reason(reasons[s], s)) << s;
    EXPECT_GT(run.count(Outcome::kFailed, s), 0u) << s;
    all += run.count(Outcome::kFailed, s);
  }
  EXPECT_EQ(all, 40u);
  // Nobody was there to be sent to, which is the target's failure and no lack of load.
  EXPECT_GE(run.books.segments.at(0).sent, 20u);
}

TEST(EngineTest, TellsWhatFailedForWantOfADescriptorHere) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario();
  draft.step();
  draft.open(100, Millis(100));
  rlimit whole{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &whole), 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = whole.rlim_max};
  const auto run = draft.run({}, [&](Engine&) { ::setrlimit(RLIMIT_NOFILE, &none); });
  ::setrlimit(RLIMIT_NOFILE, &whole);
  EXPECT_GT(run.count(Outcome::kFailed), 0u);
  EXPECT_EQ(run.books.unconnected, run.count(Outcome::kFailed));
}

TEST(EngineTest, SkipsWhatTheBacklogDoesNotHold) {
  Server server([](Peer& peer, const std::string&, int) { return peer.read(1) != ""; });
  Draft draft(server.port());
  draft.scenario("s", 1);
  draft.step("/1");
  draft.step("/2");
  draft.open(1'000, Millis(100));
  draft.campaign.backlog = 10;
  draft.campaign.grace = Millis(20);
  const auto run = draft.run();
  EXPECT_EQ(run.reason(Reason::kBacklog), 89u);
  EXPECT_EQ(run.reason(Reason::kInFlight), 11u);
  EXPECT_EQ(run.reason(Reason::kBacklog, 0, 1), 89u);
  EXPECT_EQ(run.reason(Reason::kEarlierStep, 0, 1), 11u);
  EXPECT_EQ(run.books.segments.at(0).offered, 100u);
}

// Ends a connection with its second request in it, unread.
bool close_on_second(Peer& peer, const std::string&, int) {
  Server::reply(peer, "x");
  pollfd more{.fd = peer.fd(), .events = POLLIN, .revents = 0};
  ::poll(&more, 1, 10'000);
  return false;
}

TEST(EngineTest, SendsAgainWhereAKeptConnectionWasClosedJustThen) {
  Server server(close_on_second);
  Draft draft(server.port());
  draft.scenario("s", 1).resend = true;
  draft.step();
  draft.open(100, Millis(100));
  const auto run = draft.run();
  // After a while it would not be believed that nobody has read it, so not all nine where the machine is
  // busy.
  EXPECT_GE(run.step().retries, 3u);
  EXPECT_EQ(run.count(Outcome::kOk) + run.reason(Reason::kReset), 10u);
  EXPECT_EQ(server.requests(), static_cast<int>(run.count(Outcome::kOk)));
}

TEST(EngineTest, SendsNothingAgainThatNobodyAskedFor) {
  Server server(close_on_second);
  Draft draft(server.port());
  draft.scenario("s", 1);
  draft.step();
  draft.open(100, Millis(100));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk), 5u);
  EXPECT_EQ(run.reason(Reason::kReset), 5u);
  EXPECT_EQ(run.step().retries, 0u);
}

TEST(EngineTest, SendsNothingAgainThatMustNotBeSentTwice) {
  Server server(close_on_second);
  Draft draft(server.port());
  draft.scenario("s", 1).resend = true;
  draft.step("/", "POST");
  draft.open(100, Millis(100));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk), 5u);
  EXPECT_EQ(run.reason(Reason::kReset), 5u);
  EXPECT_EQ(run.step().retries, 0u);
}

TEST(EngineTest, DoesNotSendAgainWhatWasReadBeforeTheConnectionWasCut) {
  Server server(
      [](Peer& peer, const std::string&, int number) { return number == 0 && Server::reply(peer, "x"); });
  Draft draft(server.port());
  draft.scenario("s", 1).resend = true;
  draft.step();
  draft.open(100, Millis(40));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk), 2u);
  EXPECT_EQ(run.reason(Reason::kReset), 2u);
  EXPECT_EQ(run.step().retries, 0u);
}

TEST(EngineTest, ReconnectsWhereThePeerHasClosedAnIdleConnection) {
  Server server([](Peer& peer, const std::string&, int) {
    Server::reply(peer, "x");
    return false;
  });
  Draft draft(server.port());
  draft.scenario("s", 1);
  draft.step("/", "POST");
  draft.open(20, Millis(200));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk), 4u);
  EXPECT_EQ(server.connections(), 4);
}

TEST(EngineTest, CountsWhatOfABodyThePeerHasTaken) {
  Server server([](Peer& peer, const std::string& head, int) {
    const bool all = head.starts_with("PUT /all");
    if (all) peer.read(1 << 20);
    Server::reply(peer, "x");
    pollfd gone{.fd = peer.fd(), .events = POLLRDHUP, .revents = 0};
    if (!all) ::poll(&gone, 1, 10'000);
    return all;
  });
  Draft draft(server.port());
  for (const auto* path : {"/all", "/none"}) {
    draft.scenario(path);
    draft.step(path, "PUT").body_size = path == std::string_view("/all") ? 1 << 20 : 64 << 20;
  }
  draft.open(20, Millis(500));
  const auto run = draft.run();
  for (std::size_t s = 0; s < 2; ++s) {
    const Uploads uploads = run.step(s).uploads;
    ASSERT_GT(uploads.bodies, 0u) << s;
    EXPECT_EQ(run.count(Outcome::kOk, s), uploads.bodies);
    EXPECT_EQ(uploads.whole, s == 0 ? uploads.bodies : 0) << s;
    EXPECT_EQ(uploads.overtaken, s == 0 ? 0 : uploads.bodies) << s;
    EXPECT_EQ(uploads.sent == uploads.bytes, s == 0) << s;
  }
}

TEST(EngineTest, WalksAJourneyWithWhatItsStepsCapture) {
  std::mutex lock;
  std::vector<std::string> lines;
  Server server([&](Peer& peer, const std::string& head, int) {
    std::lock_guard guard(lock);
    lines.push_back(head.substr(0, head.find("\r\n")));
    return Server::reply(peer, R"({"items":[{"id":"a-7"}],"n":12,"page":"next=p2;"})", "200 OK",
                         "X-Next: h 1\r\n");
  });
  Draft draft(server.port());
  draft.scenario("s", 1);
  Step& first = draft.step("/list");
  first.captures = {{Capture::Kind::kJson, "/items/0/id", "id"},
                    {Capture::Kind::kJson, "/n", "n"},
                    {Capture::Kind::kHeader, "X-Next", "next"},
                    {Capture::Kind::kRegex, "next=([^;]+);", "page"}};
  draft.step("/{{id}}/{{n}}/{{page}}").headers.emplace_back("X-Was", draft.text("{{next}}"));
  draft.campaign.scenarios[0].steps[1].expect.body.push_back(
      {TextTest::kContains, draft.text("\"n\":{{n}}")});
  draft.open(20, Millis(50));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk, 0, 1), 1u);
  std::lock_guard guard(lock);
  EXPECT_EQ(lines, (std::vector<std::string>{"GET /list HTTP/1.1", "GET /a-7/12/p2 HTTP/1.1"}));
}

TEST(EngineTest, SkipsTheStepsAfterOneThatFailed) {
  Server server([](Peer& peer, const std::string& head, int) {
    return Server::reply(peer, "{}", head.starts_with("GET /2") ? "500 Oops" : "200 OK");
  });
  Draft draft(server.port());
  draft.scenario();
  draft.step("/1");
  draft.step("/2");
  draft.step("/3");
  draft.open(100, Millis(100));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk, 0, 0), 10u);
  EXPECT_EQ(run.reason(Reason::kStatus, 0, 1), 10u);
  EXPECT_EQ(run.reason(Reason::kEarlierStep, 0, 2), 10u);
  EXPECT_EQ(run.step(0, 2).outcomes[5].response.count(), 0u);
  EXPECT_EQ(server.requests(), 20);
}

TEST(EngineTest, FailsWhereNothingIsToBeCaptured) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario();
  draft.step().captures = {{Capture::Kind::kJson, "/id", "id"}};
  draft.open(100, Millis(50));
  EXPECT_EQ(draft.run().reason(Reason::kCapture), 5u);
}

TEST(EngineTest, LetsUsersThinkInTheClosedModel) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario();
  Step& step = draft.step();
  step.think_min = step.think_max = Millis(20);
  draft.closed(5, Millis(200));
  const auto run = draft.run();
  // Each asks at 0, 20, 40 … ms: ten times, or less often where replies take their time.
  EXPECT_GE(run.count(Outcome::kOk), 15u);
  EXPECT_LE(run.count(Outcome::kOk), 50u);
  EXPECT_EQ(server.connections(), 5);
  EXPECT_EQ(run.books.segments.at(0).offered, 0u);
  EXPECT_LT(run.step().outcomes[0].response.percentile(50), Millis(20)) << "the think time is not in it";
}

TEST(EngineTest, RampsUsersAndSendsThemHome) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario();
  Step& step = draft.step();
  step.think_min = step.think_max = Millis(10);
  draft.closed(1, Millis(200)).users = {1, 8};
  draft.closed(1, Millis(100));
  const auto run = draft.run();
  EXPECT_EQ(server.connections(), 8);
  const auto first = run.books.segments.at(0).steps[0][0].outcomes[0].count;
  const auto second = run.books.segments.at(1).steps[0][0].outcomes[0].count;
  // Eight users would ask 160 times in the first phase and 80 times in the second.
  EXPECT_GT(first, 20u);
  EXPECT_LT(first, 120u);
  EXPECT_GT(second, 2u);
  EXPECT_LT(second, 30u);
}

TEST(EngineTest, FillsTemplatesFromDataTokensAndWhatIsBuiltIn) {
  std::mutex lock;
  std::multiset<std::string> paths;
  Server server([&](Peer& peer, const std::string& head, int) {
    std::lock_guard guard(lock);
    paths.insert(head.substr(4, head.find(' ', 4) - 4));
    EXPECT_NE(head.find("Authorization: Bearer t0k"), std::string::npos);
    return Server::reply(peer, "x");
  });
  Draft draft(server.port());
  DataSpec data;
  data.name = "keys";
  data.columns = {""};
  data.range = true;
  data.from = 1;
  data.to = 4;
  data.choose = Choice::kSequence;
  draft.campaign.data.push_back(data);
  draft.scenario("s", 2);
  draft.step("/{{keys}}").headers.emplace_back("Authorization", draft.text("Bearer {{tok}}"));
  draft.open(200, Millis(40));
  draft.campaign.generators = 2;
  const auto run = draft.run({.by_name = {{"tok", {"t0k"}}}});
  EXPECT_EQ(run.count(Outcome::kOk), 8u);
  std::lock_guard guard(lock);
  for (const auto* path : {"/1", "/2", "/3", "/4"}) EXPECT_EQ(paths.count(path), 2u) << path;
}

TEST(EngineTest, SendsBodiesAndHashesReplies) {
  std::atomic<std::size_t> got = 0;
  Server server([&](Peer& peer, const std::string& head, int) {
    const std::size_t at = head.find("Content-Length: ");
    got += peer.read(std::stoul(head.substr(at + 16))).size();
    return Server::reply(peer, "abc");
  });
  Draft draft(server.port());
  draft.scenario("s", 1);
  Step& put = draft.step("/big", "PUT");
  put.body_size = 3'000'000;
  put.expect.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  put.expect.length = 3;
  draft.step("/text", "POST").body = draft.text("n={{iteration}}");
  draft.step("/wrong", "PUT").expect.sha256 = std::string(64, '0');
  draft.open(20, Millis(50));
  const auto run = draft.run();
  EXPECT_EQ(run.count(Outcome::kOk, 0, 0), 1u);
  EXPECT_EQ(run.count(Outcome::kOk, 0, 1), 1u);
  EXPECT_EQ(run.reason(Reason::kDigest, 0, 2), 1u);
  EXPECT_EQ(got, 3'000'003u);
}

TEST(EngineTest, ReadsBodiesNoFasterThanTheBandwidth) {
  const std::string body(40'000, 'b');
  Server server([&](Peer& peer, const std::string&, int) { return Server::reply(peer, body); });
  Draft draft(server.port());
  draft.scenario("s", 1).bandwidth = 200'000;
  draft.step().expect.length = body.size();
  draft.open(20, Millis(50));
  const auto run = draft.run();
  ASSERT_EQ(run.count(Outcome::kOk), 1u);
  EXPECT_GE(worst(run.step().outcomes[0]), Millis(180));
}

TEST(EngineTest, SpeaksTlsAndVerifiesWhomItSpeaksTo) {
  const net::testing::TestCertificate certificate("IP:127.0.0.1");
  net::testing::TestServer server([&](Peer& peer, int) {
    net::testing::TlsPeer tls(peer, certificate);
    while (tls.accepted() && !tls.read_head().empty())
      tls.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Draft draft(server.port());
  Target& target = draft.campaign.targets[0];
  target.url.tls = true;
  target.tls.ca_file = certificate.file();
  draft.scenario("s", 1);
  draft.step();
  draft.open(100, Millis(100));
  EXPECT_EQ(draft.run().count(Outcome::kOk), 10u);
  EXPECT_EQ(server.connections(), 1);

  target.tls.ca_file = "";
  EXPECT_EQ(draft.run().reason(Reason::kTls), 10u);
}

TEST(EngineTest, EndsInOrderWhenItIsInterrupted) {
  Server server([](Peer& peer, const std::string&, int) { return peer.read(1) != ""; });
  Draft draft(server.port());
  draft.scenario("s", 1);
  draft.step();
  draft.open(100, Millis(60'000));
  const base::Mono from = base::mono_now();
  const auto run = draft.run({}, [&](Engine& engine) {
    if (server.requests() > 0) engine.interrupt();
  });
  EXPECT_LT(base::mono_now() - from, base::Seconds(50));
  EXPECT_EQ(run.count(Outcome::kTimedOut), run.books.segments.at(0).offered);
  EXPECT_EQ(run.reason(Reason::kInFlight), run.books.segments.at(0).offered);
}

TEST(EngineTest, CutsShortWhoThinksAndWhoReadsSlowly) {
  const std::string body(100'000, 'b');
  Server server([&](Peer& peer, const std::string&, int) { return Server::reply(peer, body); });
  Draft draft(server.port());
  draft.scenario("thinks", 1);
  Step& step = draft.step("/1");
  step.think_min = step.think_max = Millis(60'000);
  draft.step("/2");
  draft.scenario("reads", 1).bandwidth = 1'000;
  draft.step("/3");
  draft.open(1'000, Millis(60'000));
  const base::Mono from = base::mono_now();
  const auto run = draft.run({}, [&](Engine& engine) {
    if (server.requests() >= 2) engine.interrupt();
  });
  EXPECT_LT(base::mono_now() - from, base::Seconds(50));
  EXPECT_LE(run.count(Outcome::kOk, 0, 0), 1u);
  EXPECT_EQ(run.count(Outcome::kOk, 0, 1), 0u);
  EXPECT_EQ(run.count(Outcome::kOk, 1, 0), 0u);
  EXPECT_GT(run.reason(Reason::kInFlight, 1, 0), 0u);
}

TEST(EngineTest, HoldsNobodyUpAfterTheLastStepOfAnArrival) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario("s", 1);
  Step& step = draft.step();
  step.think_min = step.think_max = Millis(60'000);
  draft.open(100, Millis(50));
  EXPECT_EQ(draft.run().count(Outcome::kOk), 5u);
}

TEST(EngineTest, CountsTheGoodAndTheBadAfterAFault) {
  Server server(ok);
  Draft draft(server.port());
  draft.scenario();
  draft.step();
  draft.open(100, Millis(350));
  Fault fault;
  fault.name = "f";
  fault.at = Millis(50);
  fault.duration = Millis(100);
  draft.campaign.faults.push_back(fault);
  const auto run = draft.run();
  ASSERT_EQ(run.books.aftermaths.size(), 1u);
  const auto& buckets = run.books.aftermaths[0].good_bad;
  ASSERT_EQ(buckets.size(), 2u);
  for (const auto& [good, bad] : buckets) {
    EXPECT_EQ(good, 10u);
    EXPECT_EQ(bad, 0u);
  }
  ASSERT_EQ(run.books.segments.size(), 3u);
  EXPECT_EQ(run.books.segments[1].steps[0][0].outcomes[0].count, 10u);
}

TEST(EngineTest, RefusesATargetThatHasNoAddress) {
  Draft draft(1);
  draft.campaign.targets[0].url.host = "nowhere.invalid";
  draft.campaign.targets[0].line = 7;
  draft.scenario();
  draft.step();
  draft.open(1, Millis(1));
  try {
    draft.run();
    FAIL() << "it ran";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "test.yaml:7: target 'target': the name 'nowhere.invalid' does not resolve");
  }
}

}  // namespace
}  // namespace prove
